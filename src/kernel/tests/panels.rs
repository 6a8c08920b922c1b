//! Panels, in one call and by parts of their rows.

use super::*;

fn panels_are_the_naive_ones<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        for m in 0..=2 * kernels.mr + 1 {
            for n in 0..=kernels.nb.min(m) {
                for pivoting in [Pivoting::Partial, Pivoting::None] {
                    let kernel = |a: *mut T, lda, ipiv: *mut i64| {
                        // SAFETY: the test's matrix and pivots have these sizes.
                        unsafe { (kernels.panel)(Panel { m, n, a, lda, ipiv, pivoting, part: None }) }
                    };
                    let pivoting = pivoting == Pivoting::Partial;
                    factors_are_the_naive_ones([m, n], pivoting, &format!("{isa:?} panel"), kernel);
                }
            }
        }
    }
}

/// The panel of a crew: two parts of its rows, cut at every row, column after column.
fn parts_of_panels_are_the_naive_ones<T: Element + Float>() {
    for (isa, kernels) in kernels::<T>() {
        for rows in 1..=2 * kernels.lanes + 1 {
            for n in 1..=kernels.nb {
                let m = n + kernels.lanes + rows;
                for pivoting in [Pivoting::Partial, Pivoting::None] {
                    let kernel = |a: *mut T, lda: usize, ipiv: *mut i64| {
                        panel_by_parts(kernels, [m, n, m - rows], a, lda, ipiv, pivoting)
                    };
                    let name = format!("{isa:?} panel with a part of {rows} rows");
                    factors_are_the_naive_ones([m, n], pivoting == Pivoting::Partial, &name, kernel);
                }
            }
        }
    }
}

/// P A = L U of an m by n panel whose rows from `cut` on are a part of their own. Returns the index of the first zero pivot.
fn panel_by_parts<T: Element + Float>(
    kernels: &Kernels<T>,
    [m, n, cut]: [usize; 3],
    a: *mut T,
    lda: usize,
    ipiv: *mut i64,
    pivoting: Pivoting,
) -> usize {
    let at = |i: usize, j: usize| a.wrapping_add(i + j * lda);
    let mut first_zero = 0;
    for j in 0..=n {
        // SAFETY: the test's matrix and pivots have these sizes, and j < cut.
        unsafe {
            for (p, i) in (0..j.min(n)).flat_map(|p| (p + 1..j).map(move |i| (p, i))).filter(|_| j < n) {
                *at(i, j) = Float::neg(*at(i, p)).fma(*at(p, j), *at(i, j));
            }
            let candidates = [(j, cut), (cut, m)].map(|(first, last)| {
                let mut row = 0;
                let part = Some(PanelPart { column: j, top: a });
                let (m, ipiv) = (last - first, &raw mut row);
                (kernels.panel)(Panel { m, n, a: at(first, 0), lda, ipiv, pivoting, part });
                first + row as usize - 1
            });
            if j == n {
                break;
            }
            let magnitude = |i: usize| {
                if Float::abs(*at(i, j)) > <T as Float>::ZERO { Float::abs(*at(i, j)) } else { <T as Float>::ZERO }
            };
            let [first, second] = candidates;
            let row = match pivoting {
                Pivoting::None => j,
                Pivoting::Partial if magnitude(second) > magnitude(first) => second,
                Pivoting::Partial if magnitude(first) > <T as Float>::ZERO => first,
                Pivoting::Partial => j,
            };
            *ipiv.add(j) = row as i64 + 1;
            (0..n).for_each(|c| std::ptr::swap(at(j, c), at(row, c)));
            if *at(j, j) == <T as Float>::ZERO && first_zero == 0 {
                first_zero = j + 1;
            }
        }
    }
    first_zero
}

#[test]
fn panels_are_the_naive_ones_at_every_edge() {
    panels_are_the_naive_ones::<f64>();
    panels_are_the_naive_ones::<f32>();
}

#[test]
fn parts_of_panels_are_the_naive_ones_at_every_edge() {
    parts_of_panels_are_the_naive_ones::<f64>();
    parts_of_panels_are_the_naive_ones::<f32>();
}
