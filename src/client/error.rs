//! Why a call of a client fails.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::pipes::Feature;
use crate::protocol::describe_refusal;

/// Why a call failed.
///
/// After an error that comes from an exchange with a server ([`Error::Died`], [`Error::TimedOut`], [`Error::OutOfStep`],
/// [`Error::Io`]) that server has ended and has been waited for. After [`Error::Refused`] it lives on, unless the request
/// was a version 1 frame; after [`Error::Cancelled`] it lives on, unless it is one that [`Client::cancel`] had to kill.
///
/// [`Client::cancel`]: super::Client::cancel
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The arguments do not fit together; nothing was sent.
    Argument(crate::Error),
    /// The server could not be started.
    Start {
        /// The program.
        program: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A stream of the child that was to be adopted is not a pipe to this process.
    NotPiped {
        /// `"stdin"` or `"stdout"`.
        stream: &'static str,
    },
    /// The server refused the request, or would refuse it. It lives on if there is a `message`; if not, it has ended.
    Refused {
        /// 1: unknown command; 2: bad shape; 3: larger than the server's limit; 4: out of memory; 12: no room to keep factors.
        /// `protocol.md` has the others, which no request of this client should meet.
        code: i64,
        /// What was expected, and what came. `None` after a version 1 frame, whose refusal is only a code and ends the
        /// server ([`Client::transport`](super::Client::transport) says when such frames are used); then the line on
        /// stderr says it.
        message: Option<String>,
        /// The last line that the server wrote to stderr, if it has ended.
        line: Option<String>,
    },
    /// The request was cancelled, by [`Client::cancel`](super::Client::cancel) or by a SIGUSR1 from elsewhere. What was to be
    /// factored in place is unchanged.
    Cancelled,
    /// The server ended before it had answered.
    Died {
        /// How. `None` if the system does not know any more, since this process ignores SIGCHLD, or has waited for the
        /// server somewhere else.
        status: Option<ExitStatus>,
        /// The last line that the server wrote to stderr.
        line: Option<String>,
    },
    /// The answer was not complete in time; the server has been killed.
    TimedOut {
        /// The time that a request may take.
        timeout: Duration,
        /// The last line that the server wrote to stderr.
        line: Option<String>,
    },
    /// The bytes that came are not an answer to the request: the program is not a `recfact_server`, or another process
    /// reads or writes its pipes. It has been killed.
    OutOfStep {
        /// What is wrong with the bytes.
        reason: String,
        /// The last line that the program wrote to stderr.
        line: Option<String>,
    },
    /// The system failed an operation on the pipes or on the process.
    Io {
        /// The operation.
        operation: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// The server is older than this client and knows no batches. The next call for one matrix works.
    NoBatches,
    /// The server is older than this client: it keeps no factors, and computes nothing but factors and batches. The next call
    /// for one of these works.
    NoSystems,
    /// The server that kept these factors has ended, or belongs to the process from which this one was forked. The matrix must
    /// be factored again; the client starts a server for that.
    FactorsLost,
    /// The server has ended, as an earlier call reported, and this client may not start another one: see
    /// [`Builder::restart`](super::Builder::restart).
    Gone,
}

impl Error {
    /// The exit code of a server that died, or that ended with a refusal; `None` for every other error, and if a signal ended
    /// the server.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Error::Died { status, .. } => status.as_ref()?.code(),
            // The code of such a refusal is the exit status, too.
            Error::Refused { code, message: None, .. } => i32::try_from(*code).ok(),
            _ => None,
        }
    }

    /// The last line that the server wrote to stderr, if there is one and stderr is a pipe to this process.
    #[must_use]
    pub fn stderr_line(&self) -> Option<&str> {
        match self {
            Error::Refused { line, .. }
            | Error::Died { line, .. }
            | Error::TimedOut { line, .. }
            | Error::OutOfStep { line, .. } => line.as_deref(),
            _ => None,
        }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        Error::Argument(error)
    }
}

impl Error {
    /// The server lacks this.
    pub(super) fn lacks(feature: Feature) -> Self {
        match feature {
            Feature::Batches => Error::NoBatches,
            Feature::Systems => Error::NoSystems,
        }
    }

    /// What was expected and what came, without the last line of the server.
    fn write_reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Argument(error) => fmt::Display::fmt(error, f),
            Error::Start { program, source } => {
                write!(f, "expected to start {}, got: {source}", program.display())?;
                // Other errors have nothing to do with the file: no memory, no descriptor, too many processes.
                match source.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                        write!(f, "; RECFACT_SERVER or Builder::program says where it is")
                    }
                    _ => Ok(()),
                }
            }
            Error::NotPiped { stream } => {
                write!(f, "expected a child whose {stream} is a pipe to this process; start it with Stdio::piped()")
            }
            Error::Refused { code, message, .. } => {
                write!(f, "the server refused the request: {}", describe_refusal(*code))?;
                match message {
                    Some(message) => write!(f, ": {message}"),
                    // No version 1 frame of this client is unknown.
                    None if *code == 1 => {
                        write!(f, "; it knows version 1 frames only: use them with Builder::mapped(false)")
                    }
                    None => Ok(()),
                }
            }
            Error::Cancelled => write!(f, "expected to finish, but the call was cancelled"),
            Error::Died { status: Some(status), .. } => {
                write!(f, "expected an answer, but the server ended with {status}")
            }
            Error::Died { status: None, .. } => {
                write!(
                    f,
                    "expected an answer, but the server ended; its exit status is lost, since it was waited for elsewhere"
                )
            }
            Error::TimedOut { timeout, .. } => write!(f, "expected an answer within {timeout:?}, killed the server"),
            Error::OutOfStep { reason, .. } => {
                write!(f, "this is not the answer of a recfact_server: {reason}; killed the program")
            }
            Error::Io { operation, source } => write!(f, "expected to {operation}, got: {source}"),
            Error::NoBatches => {
                write!(f, "expected a server that knows batches, got an older one; update recfact_server")
            }
            Error::NoSystems => {
                write!(f, "expected a server that keeps factors, got an older one; update recfact_server")
            }
            Error::FactorsLost => {
                write!(
                    f,
                    "the server that kept these factors has ended, or is the parent process's; factor the matrix again"
                )
            }
            Error::Gone => {
                write!(f, "the server has ended, and this client may not start another; make a new client")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_reason(f)?;
        match self.stderr_line() {
            Some(line) => write!(f, "; its last line on stderr: {line}"),
            None => Ok(()),
        }
    }
}

// No `source`: its message is part of this one, and would be printed twice.
impl std::error::Error for Error {}
