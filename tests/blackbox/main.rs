//! The executable as its users meet it: over real pipes, from a shell, by the letter of its documents.

mod cli;
mod documents;
mod errors;
mod frames;
mod harness;
mod long;
mod mapped;
mod memory;
mod session;
mod shell;
mod signals;
