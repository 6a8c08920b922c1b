//! How matrices go to a server and factors come back, as a program sees it.

use std::fmt;

/// How matrices go to a server and factors come back; [`Client::transport`](super::Client::transport) tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// No request has been made yet, and the server has not been asked what it can do.
    Undecided,
    /// In memory that this process and the server both see.
    Mapped,
    /// Through the pipes: batches and systems in extended frames, other matrices in version 1 frames.
    Pipes {
        /// Why there is no such memory.
        reason: String,
    },
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Undecided => write!(f, "not decided before the first request"),
            Transport::Mapped => write!(f, "mapped memory"),
            Transport::Pipes { reason } => write!(f, "version 1 frames through the pipes: {reason}"),
        }
    }
}
