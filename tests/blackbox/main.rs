//! The executable as its users meet it: over real pipes, from a shell, by the letter of its documents.

mod cli;
mod documents;
mod errors;
mod harness;
mod long;
mod memory;
mod session;
mod shell;
mod signals;
