//! Dense LU factorization with partial pivoting, P A = L U, in place.
//!
//! [`factor`] works on any column-major memory (a nalgebra matrix, a view of one, a slice with a leading
//! dimension); [`Lu`] owns its factors and solves with them. The same factorization is served over pipes by the
//! executable `recfact_server` ([`server`]), whose wire format is [`protocol`] here and `protocol.md` for readers;
//! [`client`] starts that executable and asks it.
//!
//! ```
//! use nalgebra::DMatrix;
//! use recfact::{Lu, Options};
//!
//! let lu = Lu::new(DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 3.0, 4.0]), &Options::default());
//! assert_eq!(lu.ipiv(), [2, 2]);
//! assert!(!lu.is_singular());
//! ```

mod blas;
pub mod client;
mod error;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod kernel;
mod lu;
mod matrix;
#[cfg(test)]
#[path = "../tests/oracle/mod.rs"]
mod oracle;
pub mod os;
pub mod protocol;
mod real;
pub mod server;
mod team;

pub use error::Error;
pub use kernel::Isa;
pub use lu::{Lu, Options, Transpose, factor, solve};
pub use matrix::{MatrixMut, MatrixRef};
/// The crate of the matrices that the functions here take and return, in the version that they have.
pub use nalgebra;
pub use real::Real;
pub use team::default_threads;

/// Ends the helper threads of the calling thread and gives its scratch memory back, as the end of the thread would; its
/// next factorization begins anew.
pub fn release() {
    team::release();
    blas::scratch::release();
}

// The Rust programs of README.md are run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
