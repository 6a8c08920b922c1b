//! The executable as its users meet it: over real pipes, from a shell, by the letter of its documents.

#[path = "../library/mod.rs"]
mod library;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../venv/mod.rs"]
mod venv;

mod cli;
mod documents;
mod errors;
mod harness;
mod memory;
mod session;
mod shell;
mod signals;
