//! The Rust client against the executable, and against programs that are not what they should be.

mod allocations;
mod batch;
mod cancel;
mod ends;
mod failures;
mod frames;
mod harness;
mod kept;
mod mapped;
mod parallel;
mod process;
mod readme;
mod results;
mod systems;
