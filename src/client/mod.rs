//! The client: starts `recfact_server` as a child process, sends it matrices and gets L, U and the pivots back.
//!
//! It is for programs that want the factorization in a process of its own, where memory, threads and crashes are none
//! of theirs; [`factor`](crate::factor) does the same in process. [`Client`] has one server, [`Pool`] several. The
//! bits of the results are those of [`factor`](crate::factor).
//!
//! ```no_run
//! use nalgebra::DMatrix;
//! use recfact::Options;
//! use recfact::client::Client;
//!
//! let client = Client::spawn()?;
//! let lu = client.lu(&DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 6.0, 3.0]), &Options::default())?;
//! assert_eq!(lu.ipiv(), [2, 2]);
//! assert!(client.close()?.is_some_and(|status| status.success()));
//! # Ok::<(), recfact::client::Error>(())
//! ```
//!
//! # When something goes wrong
//!
//! A server that ends in the middle of a request is an [`Error::Died`] with its exit code or signal and the last line
//! that it wrote to stderr. A server is killed that does not answer in time ([`Builder::timeout`]), or answers what
//! cannot be an answer. Whatever the error, the next call starts a new server, unless [`Builder::restart`] says
//! otherwise. No request is sent twice. A server that has ended between two calls is replaced without a word: no
//! request is lost with it. A call is given up by killing the server, [`Client::server_id`], from another thread.
//!
//! # Processes, descriptors, signals
//!
//! - Servers are always waited for, so none remains as a zombie, also where the client is just dropped: an idle
//!   server ends within milliseconds, any other is killed after a second at most.
//! - The pipes are close-on-exec (those of an adopted child are what the one who started it has made them), so other
//!   children of this process do not hold them open. A client that dies takes its server with it, in whatever way.
//! - After `fork` the child process has the client, but not the server: its first call starts a server of its own,
//!   and dropping the client there leaves the server of the parent alone. Until then the child has the pipes of the
//!   parent's servers open, too, and those of a call in which another thread of the parent was at that moment until it
//!   ends: so long these servers live on where the parent is killed.
//! - A server is in a process group of its own: Ctrl-C at a terminal is for the program, which ends its servers as it
//!   ends. (An adopted child is where the one who started it has put it.)
//! - Writing to a server that is gone raises no SIGPIPE, whatever the program does with that signal.

mod builder;
mod error;
mod exchange;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod per_process;
mod pipes;
mod pool;
mod server;
mod sigpipe;

use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nalgebra::DMatrix;

use crate::lu::{Lu, zeros};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::WireElement;
pub use builder::Builder;
pub use error::Error;
use per_process::PerProcess;
use pipes::{Break, Pipes};
pub use pool::Pool;
use server::Server;

/// A server and the pipes to it.
///
/// It may be shared by threads; their calls take turns. (A [`Pool`] lets them run at the same time.)
#[derive(Debug)]
pub struct Client {
    builder: Builder,
    shared: PerProcess<Shared>,
}

/// What the threads of a process share of a client.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The process id of the server, for callers that do not want to wait for a call; 0 if there is none. It is forgotten
    /// before the server is waited for, since after that the number may become another process's.
    server_id: AtomicU32,
}

impl Shared {
    fn new(server: Option<Server>, may_start: bool) -> Self {
        let server_id = server.as_ref().map_or(0, Server::id).into();
        Shared { state: Mutex::new(State { server, may_start }), server_id }
    }
}

/// What a process knows of the server.
#[derive(Debug)]
struct State {
    /// The server, except while a call talks to it: a call that fails does not put it back.
    server: Option<Server>,
    /// Whether a server may be started where there is none.
    may_start: bool,
}

/// Locks, also after a panic: what the locks of this module guard is sound at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Starts a server without arguments and without a time-out; [`Builder`] has both, and says where the executable
    /// is looked for.
    ///
    /// # Errors
    /// [`Error::Start`], [`Error::Io`].
    pub fn spawn() -> Result<Self, Error> {
        Builder::new().spawn()
    }

    /// Takes over a server that somebody has started, as [`Builder::adopt`] does, but with
    /// [`restart(false)`](Builder::restart): how to start another is not known.
    ///
    /// # Errors
    /// [`Error::NotPiped`], [`Error::Io`]; the child has been killed then.
    pub fn adopt(child: Child) -> Result<Self, Error> {
        Builder::new().restart(false).adopt(child)
    }

    /// A client that has no server yet.
    fn idle(builder: Builder) -> Self {
        Client { builder, shared: PerProcess::new(Shared::new(None, true)) }
    }

    /// A client with this server.
    fn adopted(builder: Builder, child: Child) -> Result<Self, Error> {
        let shared = Shared::new(Some(Server::adopt(child)?), builder.restart);
        Ok(Client { builder, shared: PerProcess::new(shared) })
    }

    /// P A = L U of an m x n matrix: a nalgebra matrix, a view of one, a slice with a leading dimension. `a` is only
    /// read. `options.threads` above 1 asks for several threads; how many, the server's `--threads` says.
    ///
    /// # Errors
    /// [`Error::Argument`] if the system refuses memory for the factors; and every other [`Error`] but [`Error::NotPiped`].
    pub fn lu<'a, T: WireElement>(&self, a: impl Into<MatrixRef<'a, T>>, options: &Options) -> Result<Lu<T>, Error> {
        let a = a.into();
        let (m, n) = (a.nrows(), a.ncols());
        let mut factors = DMatrix::from_vec(m, n, zeros(m * n)?);
        let mut ipiv = zeros(m.min(n))?;
        let info = self.converse(|pipes, deadline| {
            let info = exchange::send(pipes, a, options, deadline)?;
            exchange::receive(pipes, MatrixMut::from(&mut factors), &mut ipiv, deadline)?;
            Ok(info)
        })?;
        let lu = Lu::from_parts(factors, ipiv, info).expect("what was received has been checked");
        Ok(lu.with_options(options))
    }

    /// The same in place: [`factor`](crate::factor) by the server. `a` and the first min(m, n) elements of `ipiv` are
    /// overwritten, `info` is returned. What stands between the columns is neither sent nor written.
    ///
    /// # Errors
    /// [`Error::Argument`] if `ipiv` is shorter than min(m, n), and every other [`Error`] but [`Error::NotPiped`].
    ///
    /// `a` and `ipiv` are written only after a good `info` has come, which follows the whole computation. So they are
    /// as they were after [`Error::Argument`], [`Error::Start`], [`Error::Refused`] and [`Error::Gone`], and after a
    /// death or a time-out before the answer. Where the answer breaks off in its middle, they hold a part of it: keep
    /// a copy, or call [`Client::lu`], if `a` is to be used after the other errors.
    pub fn lu_in_place<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixMut<'a, T>>,
        ipiv: &mut [i64],
        options: &Options,
    ) -> Result<i64, Error> {
        let a = a.into();
        let (expected, found) = (a.nrows().min(a.ncols()), ipiv.len());
        let ipiv = ipiv.get_mut(..expected).ok_or(crate::Error::IpivLength { expected, found })?;
        self.converse(|pipes, deadline| {
            let info = exchange::send(pipes, a.as_ref(), options, deadline)?;
            exchange::receive(pipes, a, ipiv, deadline)?;
            Ok(info)
        })
    }

    /// The process id of the server, if there is one; it may have ended. Also while another thread is in a call.
    #[must_use]
    pub fn server_id(&self) -> Option<u32> {
        Some(self.shared().server_id.load(Ordering::Relaxed)).filter(|&id| id != 0)
    }

    /// Ends the session and waits for the server, which is killed if it takes longer than a second. Returns how it
    /// has ended, or `None` where there was no server, since none was started or the last one had failed.
    ///
    /// # Errors
    /// [`Error::Io`] where the system does not tell the status (see [`Error::Died`]).
    pub fn close(self) -> Result<Option<ExitStatus>, Error> {
        let server = lock(&self.shared().state).server.take();
        let status = server.map(|mut server| server.stop()).transpose();
        status.map_err(|source| Error::Io { operation: "wait for the server", source })
    }

    /// What the threads of this process share; after a fork the pipes of the parent are closed first.
    fn shared(&self) -> &Shared {
        self.shared.get(|parent| {
            // Where it is locked, it is so for ever: by a call that the fork has left behind.
            let may_start = parent.state.try_lock().map_or(self.builder.restart, |mut parent| {
                parent.server = None;
                parent.may_start
            });
            Shared::new(None, may_start)
        })
    }

    /// Closes the pipes of the parent process, if this is a child of it.
    fn leave_parent(&self) {
        self.shared();
    }

    /// Whether every call from now on is an [`Error::Gone`].
    fn is_gone(&self) -> bool {
        let state = lock(&self.shared().state);
        state.server.is_none() && !state.may_start
    }

    /// Asks the server to end, and does not wait until it has.
    fn ask_to_end(&mut self) {
        if let Some(server) = &mut lock(&self.shared().state).server {
            server.ask_to_end();
        }
    }

    /// Makes sure that there is a server.
    fn start(&self) -> Result<(), Error> {
        self.converse(|_, _| Ok(()))
    }

    /// Calls `talk` with the pipes to a server that waits for a request. Where that fails, the server is ended.
    fn converse<R>(&self, talk: impl FnOnce(&mut Pipes, Option<Instant>) -> Result<R, Break>) -> Result<R, Error> {
        let Shared { state, server_id } = self.shared();
        let mut state = lock(state);
        let deadline = self.builder.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut server = self.ready(&mut state, server_id, deadline)?;
        match talk(&mut server.pipes, deadline) {
            Ok(result) => {
                state.server = Some(server);
                Ok(result)
            }
            Err(broken) => {
                server_id.store(0, Ordering::Relaxed);
                Err(server.fail(broken, self.builder.timeout, deadline))
            }
        }
    }

    /// Takes the server, or starts one where there is none or where it has ended meanwhile.
    fn ready(&self, state: &mut State, server_id: &AtomicU32, deadline: Option<Instant>) -> Result<Server, Error> {
        if let Some(mut server) = state.server.take() {
            let Err(broken) = server.pipes.check_silence() else { return Ok(server) };
            server_id.store(0, Ordering::Relaxed);
            match broken {
                Break::Ended if state.may_start => drop(server),
                _ => return Err(server.fail(broken, self.builder.timeout, deadline)),
            }
        }
        if !state.may_start {
            return Err(Error::Gone);
        }
        let server = Server::start(&mut self.builder.command())?;
        server_id.store(server.id(), Ordering::Relaxed);
        state.may_start = self.builder.restart;
        Ok(server)
    }
}
