//! The Rust client against the executable, and against programs that are not what they should be.

mod ends;
mod failures;
mod harness;
mod parallel;
mod process;
mod readme;
mod results;
