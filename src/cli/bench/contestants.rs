//! What is measured: a factorization by each way that the matrix can go, and what the way itself costs.

use std::env::current_exe;
use std::hint::black_box;
use std::io;
use std::num::NonZeroUsize;
use std::ptr;

use nalgebra::DMatrix;

use super::echo::{Echo, Ping};
use super::turns::medians;
use crate::cli::exit::ExitStatus;
use crate::cli::{EXECUTABLE, Failure, say};
use crate::client::{Builder, Client, Error, Transport};
use crate::lu::{Lu, zeros};
use crate::matrix::MatrixMut;
use crate::options::Options;
use crate::os::Segment;
use crate::protocol::FACTOR_BYTES;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Factors in process.
    InProcess,
    /// Factors by the server, in mapped memory.
    Mapped,
    /// Does what that does beside the factorization.
    MappedFloor,
    /// Factors by the server, in version 1 frames.
    Pipe,
    /// Moves the matrix to the server and back.
    PipeFloor,
}

impl Way {
    /// The title of its column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Way::InProcess => "in process",
            Way::Mapped => "mapped",
            Way::MappedFloor => "mapped floor",
            Way::Pipe => "pipe",
            Way::PipeFloor => "pipe floor",
        }
    }

    /// Whether nothing is factored.
    pub(super) fn is_floor(self) -> bool {
        matches!(self, Way::MappedFloor | Way::PipeFloor)
    }
}

/// The servers, and what else the calls need.
pub(super) struct Contestants {
    options: Options,
    ways: &'static [Way],
    mapped: Client,
    pipe: Client,
    echo: Echo,
    segment: Segment,
}

impl Contestants {
    /// Starts the servers.
    pub(super) fn start(threads: u32) -> Result<Self, Failure> {
        let io = |error: io::Error| Failure::io("expected to start this executable as a child, got", &error);
        let program = current_exe().map_err(io)?;
        let client = |mapped| {
            let builder = Builder::new().program(&program).args(["--threads", &threads.to_string()]);
            builder.mapped(mapped).spawn().map_err(failure)
        };
        let (mapped, pipe) = (client(true)?, client(false)?);
        let options = Options::new().threads(threads as usize);
        mapped.lu(&matrix(1)?, &options).map_err(failure)?;
        let ways: &[Way] = match mapped.transport() {
            Transport::Mapped => &[Way::InProcess, Way::Mapped, Way::MappedFloor, Way::Pipe, Way::PipeFloor],
            other => {
                say(EXECUTABLE, format_args!("mapped memory is left out: {other}"));
                &[Way::InProcess, Way::Pipe, Way::PipeFloor]
            }
        };
        let (echo, segment) = (Echo::start(&program).map_err(io)?, Segment::new().map_err(io)?);
        Ok(Contestants { options, ways, mapped, pipe, echo, segment })
    }

    /// What is measured, in the order of the results; the first is in process.
    pub(super) fn ways(&self) -> &'static [Way] {
        self.ways
    }

    /// The median times for a matrix of order n, in seconds.
    pub(super) fn measure(&mut self, n: usize, seconds: f64) -> Result<Vec<f64>, Failure> {
        let Contestants { options, ways, mapped, pipe, echo, segment } = self;
        let a = matrix(n)?;
        let factored_in_process = || -> Result<_, Error> { Ok(Lu::new(copy(&a)?, options)?) };
        let expected = factored_in_process().map_err(failure)?;
        for client in [&*mapped, pipe] {
            let lu = client.lu(&a, options).map_err(failure)?;
            if lu.packed() != expected.packed() || lu.ipiv() != expected.ipiv() {
                return Err(Failure::data("the server", "expected the factors of the call in process, got others"));
            }
        }
        drop(expected);
        let mut request = Ping::new(FACTOR_BYTES).map_err(|error| failure(error.into()))?;
        let mut whole = Ping::new(size_of_val(a.as_slice())).map_err(|error| failure(error.into()))?;
        let mut exchange =
            |ping: &mut Ping| echo.exchange(ping).map_err(|error| Failure::io("expected an answer, got", &error));
        if ways.contains(&Way::MappedFloor) {
            let size = NonZeroUsize::new(size_of_val(a.as_slice())).expect("orders are at least 1");
            segment.resize(size).map_err(|error| Failure::new(ExitStatus::OutOfMemory, error))?;
        }
        medians(ways, seconds, |way| {
            match way {
                Way::InProcess => drop(black_box(factored_in_process().map_err(failure)?)),
                Way::Mapped => drop(black_box(mapped.lu(&a, options).map_err(failure)?)),
                Way::Pipe => drop(black_box(pipe.lu(&a, options).map_err(failure)?)),
                Way::MappedFloor => {
                    // SAFETY: the segment has the size of the matrix, and is no memory of a Rust object.
                    unsafe { ptr::copy_nonoverlapping(a.as_ptr(), segment.start().cast(), a.len()) };
                    exchange(&mut request)?;
                    let mut result = zeros::<f64>(a.len()).map_err(|error| failure(error.into()))?;
                    // SAFETY: as above.
                    unsafe { ptr::copy_nonoverlapping(segment.start().cast(), result.as_mut_ptr(), a.len()) };
                    drop(black_box(result));
                }
                Way::PipeFloor => exchange(&mut whole)?,
            }
            Ok(())
        })
    }
}

/// A matrix of order n with elements between -1 and 1.
fn matrix(n: usize) -> Result<DMatrix<f64>, Failure> {
    let elements = zeros(n * n).map_err(|error| failure(error.into()))?;
    let mut a = DMatrix::from_vec(n, n, elements);
    a.iter_mut().enumerate().for_each(|(at, x)| *x = ((at * 7919 % 10007) as f64).sin());
    Ok(a)
}

/// A copy in memory that the system may refuse.
fn copy(a: &DMatrix<f64>) -> Result<DMatrix<f64>, crate::Error> {
    let mut copy = DMatrix::from_vec(a.nrows(), a.ncols(), zeros(a.len())?);
    MatrixMut::from(&mut copy).copy_from(a.into());
    Ok(copy)
}

fn failure(error: Error) -> Failure {
    let status = match error {
        Error::Argument(crate::Error::OutOfMemory { .. }) => ExitStatus::OutOfMemory,
        // Larger than the server's limit.
        Error::Refused { .. } => ExitStatus::Data,
        _ => ExitStatus::Io,
    };
    Failure::new(status, error)
}
