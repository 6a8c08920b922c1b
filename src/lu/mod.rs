//! P A = L U in place, by recursive blocks, and what is done with the factors.
//!
//! Source: S. Toledo, "Locality of reference in LU decomposition with partial pivoting", SIAM J. Matrix Anal. Appl.
//! 18(4), 1997; the meaning of `ipiv` and `info` is that of LAPACK's `DGETRF`.

mod batch;
mod blocked;
mod condition;
mod factor;
mod factors;
mod inverse;
mod ipiv;
mod mixed;
mod monitor;
mod moves;
mod out_of_place;
mod packed;
mod recursion;
mod refine;
mod solve;
mod strips;
mod tall;

#[cfg(test)]
mod tests;

#[cfg(any(feature = "cli", feature = "client"))]
pub(crate) use batch::first_bad_row;
pub use batch::{
    BatchSystem, Coefficients, Determinant, Solution, Swaps, check_batch_finite, det_batch, factor_batch, gesv_batch,
    inverse_batch, solve_batch, system_batch,
};
#[cfg(feature = "client")]
pub(crate) use batch::{check_right_hand_sides, results as batch_results, same_shape, square};
#[cfg(feature = "cli")]
pub(crate) use batch::{det_batch_with, factor_batch_with, solve_batch_with, system_batch_with};
#[cfg(feature = "cli")]
pub(crate) use condition::MAX_EXACT_ORDER;
#[doc(hidden)]
pub use condition::estimate_norms;
pub use condition::{norm, rcond};
#[cfg(feature = "internals")]
pub(crate) use factor::factor_by;
#[doc(hidden)]
pub use factor::factor_in_steps;
#[cfg(feature = "cli")]
pub(crate) use factor::factor_with;
pub use factor::{factor, release};
pub use factors::Lu;
#[cfg(feature = "cli")]
pub(crate) use factors::filled;
#[cfg(feature = "client")]
pub(crate) use factors::zeros;
pub use inverse::inverse;
#[cfg(feature = "cli")]
pub(crate) use inverse::inverse_with;
#[cfg(feature = "cli")]
pub(crate) use ipiv::check_info;
#[cfg(any(feature = "cli", feature = "client"))]
pub(crate) use ipiv::check_ipiv;
#[cfg(feature = "cli")]
pub(crate) use mixed::gesv_mixed_with;
pub use mixed::{Mixed, gesv_mixed};
#[doc(hidden)]
pub use monitor::Monitor;
#[cfg(feature = "cli")]
pub(crate) use monitor::inverse_flops;
#[doc(hidden)]
pub use monitor::{flops, solve_flops};
#[cfg(any(feature = "cli", test))]
pub(crate) use out_of_place::check_finite;
#[doc(hidden)]
pub use out_of_place::{Source, factor_out_of_place};
pub use refine::{Accuracy, Factored, Refinement, refine};
pub use solve::solve;
#[doc(hidden)]
pub use solve::solve_triangles;
#[cfg(feature = "cli")]
pub(crate) use solve::solve_with;
