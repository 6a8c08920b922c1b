//! Dense LU factorization with partial pivoting, P A = L U, in place.
//!
//! [`factor`] works on any column-major memory (a nalgebra matrix, a view of one, a slice with a leading
//! dimension), and [`factor_batch`] on many small matrices at once; [`Lu`] owns its factors and solves with them. The
//! executable `recfact_server` does the same over pipes; with the feature `client` (on by default) [`client`] starts that
//! executable and sends it matrices.
//!
//! ```
//! use nalgebra::DMatrix;
//! use recfact::{Lu, Options};
//!
//! let lu = Lu::new(DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 3.0, 4.0]), &Options::default())?;
//! assert_eq!(lu.ipiv(), [2, 2]);
//! assert!(!lu.is_singular());
//! # Ok::<(), recfact::Error>(())
//! ```
//!
//! # Features
//!
//! Without its default features the crate is the numerics alone.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `client` | [`client`], the server as a child process, and [`protocol`], the layout of its requests and responses |
//! | `cli` | what the executable is made of: the session, the subcommands, files, and `client`; not part of the interface |

#![warn(missing_docs)]

mod batch;
mod blas;
mod element;
mod error;
mod kernel;
mod lu;
mod matrix;
mod options;
mod pivoting;
mod selection;
mod team;
#[cfg(any(feature = "cli", feature = "client"))]
mod usage;

#[cfg(feature = "client")]
pub mod client;
#[cfg(any(feature = "cli", feature = "client"))]
pub mod protocol;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod files;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(any(feature = "cli", feature = "client"))]
mod os;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod server;

pub use batch::{BatchMut, BatchRef, Geometry};
pub use element::Element;
pub use error::Error;
pub use kernel::Isa;
pub use lu::{
    Accuracy, Coefficients, Determinant, Factored, Lu, Mixed, Refinement, Swaps, det_batch, factor, factor_batch,
    gesv_batch, gesv_mixed, inverse, inverse_batch, norm, rcond, refine, release, solve, solve_batch,
};
#[doc(hidden)]
pub use lu::{BatchSystem, Solution, check_batch_finite, system_batch};
#[doc(hidden)]
pub use lu::{Monitor, Source, factor_in_steps, factor_out_of_place, solve_triangles};
#[doc(hidden)]
pub use lu::{estimate_norms, flops, solve_flops};
pub use matrix::{Layout, MatrixMut, MatrixRef};
/// The crate of the matrices that the functions here take and return, in the version that they use.
pub use nalgebra;
pub use options::{Norm, Options, Transpose};
pub use pivoting::Pivoting;
pub use team::default_threads;

// The Rust programs of README.md are run as documentation tests.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;
