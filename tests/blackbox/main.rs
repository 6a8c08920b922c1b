//! The executable as its users meet it: over real pipes, from a shell, by the letter of its documents.

mod answers;
mod batch_frames;
mod bench;
mod cli;
mod documents;
mod errors;
mod factor_frames;
mod frames;
mod harness;
mod long;
mod memory;
mod modelled;
mod node;
mod scribbling;
mod segments;
mod session;
mod shell;
mod signals;
mod solve;
mod stacks;
mod system_frames;
