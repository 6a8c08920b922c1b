//! Plots of what was measured, by the order of the matrix, as SVG.
//!
//! A package of its own, so that the drawing is compiled for size in the executable that has it.

use std::error::Error;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

/// Pixels.
const SIZE: (u32, u32) = (900, 520);

/// What a plot shows. The horizontal axis is the order n, on a logarithmic scale.
#[derive(Debug, Clone, Copy)]
pub struct Plot<'a> {
    /// What was measured where.
    pub title: &'a str,
    /// What the vertical axis shows.
    pub y_title: &'a str,
    /// The part of the vertical axis that is shown.
    pub y: (f64, f64),
    /// Points outside of the vertical axis are left out.
    pub curves: &'a [Curve<'a>],
}

/// A line of a plot.
#[derive(Debug, Clone)]
pub struct Curve<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// n and the value, in rising n.
    pub points: Vec<(f64, f64)>,
    /// Pixels.
    pub width: u32,
    /// Whether it is a limit: black, without points.
    pub is_limit: bool,
}

impl Plot<'_> {
    /// The plot with a linear vertical axis.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub fn linear(&self) -> Result<String, Box<dyn Error>> {
        self.draw(self.y.0..self.y.1, SeriesLabelPosition::UpperLeft)
    }

    /// The plot with a logarithmic vertical axis.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub fn logarithmic(&self) -> Result<String, Box<dyn Error>> {
        // On the right, where the curves are not.
        let ends = self.curves.first().and_then(|curve| curve.points.first().zip(curve.points.last()));
        let is_rising = ends.is_some_and(|(first, last)| first.1 < last.1);
        let legend = if is_rising { SeriesLabelPosition::LowerRight } else { SeriesLabelPosition::UpperRight };
        self.draw((self.y.0..self.y.1).log_scale(), legend)
    }

    fn draw<Y>(&self, y: Y, legend: SeriesLabelPosition) -> Result<String, Box<dyn Error>>
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let orders = || self.curves.iter().flat_map(|curve| &curve.points).map(|&(n, _)| n);
        let (first, last) = (orders().fold(f64::MAX, f64::min), orders().fold(1.0, f64::max));
        let first = first.min(last);
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            root.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&root)
                .caption(self.title, ("sans-serif", 15))
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(50)
                .build_cartesian_2d((first..last.max(first + 1.0)).log_scale(), y)?;
            chart
                .configure_mesh()
                .x_desc("n")
                .y_desc(self.y_title)
                .x_labels(12)
                .x_label_formatter(&|n| format!("{n:.0}"))
                .draw()?;
            let mut colors = 0..;
            for curve in self.curves {
                let color = if curve.is_limit {
                    BLACK.to_rgba()
                } else {
                    Palette99::pick(colors.next().unwrap_or(0)).to_rgba()
                };
                let style = color.stroke_width(curve.width);
                let is_shown = |&(_, value): &(f64, f64)| (self.y.0..=self.y.1).contains(&value);
                let points = curve.points.iter().copied().filter(is_shown);
                chart
                    .draw_series(LineSeries::new(points, style).point_size(if curve.is_limit { 0 } else { 2 }))?
                    .label(curve.name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
            }
            chart
                .configure_series_labels()
                .position(legend)
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.3))
                .draw()?;
            root.present()?;
        }
        Ok(svg)
    }
}
