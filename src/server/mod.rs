//! The session of a server, over any [`Read`](std::io::Read) and [`Write`](std::io::Write): it reads a head, dispatches to the
//! family of the request, and answers, until the input ends or an exit command comes.
//!
//! It does not know whether its streams are stdin and stdout, what signals do to them, or with which status the process exits.

mod about;
mod batch;
mod effort;
mod error;
mod factor;
mod factor_frame;
mod files;
mod kept;
mod mapping;
mod operands;
mod payload;
mod segments;
mod session;
mod state;
mod stats;
mod store;
mod stream;
mod system;
mod watch;

#[cfg(test)]
mod tests;

pub use error::{Cause, SessionError};
pub use session::{serve, serve_watched};
pub use state::Limits;
pub use watch::Watch;
