//! Matrices that no machine can hold, with real launchers: what the ranks compute, and what happens to everything that
//! can go wrong.
//!
//! It needs OpenMPI and MPICH with their ScaLAPACK, as Debian has them. What is missing is named on stderr by each test
//! that needs it.

mod accuracy;
mod cancelled;
mod conditions;
mod documents;
mod factors;
mod files;
mod folder;
mod frames;
mod hosts;
mod killed;
mod launchers;
mod machine;
mod memory;
mod names;
mod network;
mod processes;
mod session;
mod shapes;
mod systems;
