//! The client: starts `recfact_server` as a child process, sends it matrices and gets L, U and the pivots back.
//!
//! It is for programs that want the factorization in a process of its own, with its own memory, threads and crashes;
//! [`factor`](crate::factor) does the same in process, to the bit. [`Client`] has one server, [`Pool`] several.
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
//! If a server ends in the middle of a request, the call returns [`Error::Died`] with its exit code or signal and the last
//! line that it wrote to stderr. A server that does not answer in time ([`Builder::timeout`]), or with bytes that cannot be
//! an answer, is killed. After any error the next call starts a new server, unless [`Builder::restart`] says otherwise. No
//! request is sent twice. A server that has ended between two calls is replaced silently, since no request is lost. To give
//! up a call, kill the server ([`Client::server_id`]) from another thread.
//!
//! # Processes, descriptors, signals
//!
//! - Servers are always waited for, so none remains as a zombie, even if the client is only dropped: an idle server ends
//!   within milliseconds, any other is killed after at most a second.
//! - The pipes are close-on-exec, so that other children of this process do not hold them open. If this process dies, in
//!   whatever way, its servers end. (The pipes of an adopted child are as the program made them.)
//! - After `fork` the child process has the client, but not the server. Its first call starts a server of its own, and
//!   dropping the client there does not touch the server of the parent. Until then the child also holds the pipes of the
//!   parent's servers; if the parent is killed, those servers live on until the child has made its first call or has
//!   ended. The pipes of a call that another thread of the parent was making during the fork stay open until the child
//!   ends.
//! - A server is in a process group of its own: Ctrl-C at a terminal reaches the program, which ends its servers when it
//!   ends. (An adopted child stays in the group that the program gave it.)
//! - Writing to a server that has ended raises no SIGPIPE, whatever the program does with that signal.

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
    /// The process id of the server, for callers that do not want to wait for a call; 0 if there is none. It is cleared
    /// before the server is waited for, since after that another process may get the number.
    server_id: AtomicU32,
}

impl Shared {
    fn new(server: Option<Server>, may_start: bool) -> Self {
        let server_id = server.as_ref().map_or(0, Server::id).into();
        Shared { state: Mutex::new(State { server, may_start }), server_id }
    }
}

/// The server of a process.
#[derive(Debug)]
struct State {
    /// The server. A call takes it out, and puts it back unless the call fails.
    server: Option<Server>,
    /// Whether a server may be started if there is none.
    may_start: bool,
}

/// Locks, even after a panic: the values behind the locks of this module are valid at every moment.
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

    /// Takes over a server that the program has started, as [`Builder::adopt`] does, but with
    /// [`restart(false)`](Builder::restart), since the client does not know how to start another one.
    ///
    /// # Errors
    /// [`Error::NotPiped`], [`Error::Io`]; then the child has been killed.
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
    /// read. [`Options::threads`] above 1 asks for several threads; the `--threads` of the server says how many.
    ///
    /// # Errors
    /// [`Error::Argument`] if the system refuses memory for the factors, and every other [`Error`] except
    /// [`Error::NotPiped`].
    pub fn lu<'a, T: WireElement>(&self, a: impl Into<MatrixRef<'a, T>>, options: &Options) -> Result<Lu<T>, Error> {
        let a = a.into();
        let (m, n) = (a.nrows(), a.ncols());
        let mut factors = DMatrix::from_vec(m, n, zeros(m * n)?);
        let mut ipiv = zeros(m.min(n))?;
        let info = self.converse(|pipes, deadline| {
            let (info, shape) = exchange::send(pipes, a, options, deadline)?;
            exchange::receive(pipes, MatrixMut::from(&mut factors), &mut ipiv, shape, deadline)?;
            Ok(info)
        })?;
        let lu = Lu::from_parts(factors, ipiv, info).expect("what was received has been checked");
        Ok(lu.with_options(options))
    }

    /// [`factor`](crate::factor) by the server, in place: `a` and the first min(m, n) elements of `ipiv` are overwritten, and
    /// `info` is returned. The padding between the columns is neither sent nor written.
    ///
    /// # Errors
    /// [`Error::Argument`] if `ipiv` is shorter than min(m, n), and every other [`Error`] except [`Error::NotPiped`].
    ///
    /// `a` and `ipiv` are written only after a valid `info` has arrived, which the server sends after the whole
    /// computation. So they are unchanged after [`Error::Argument`], [`Error::Start`], [`Error::Refused`] and
    /// [`Error::Gone`], and if the server dies or the time is up before the answer. If the answer ends in its middle, they
    /// hold a part of it. Keep a copy, or call [`Client::lu`], if `a` is needed after the other errors.
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
            let (info, shape) = exchange::send(pipes, a.as_ref(), options, deadline)?;
            exchange::receive(pipes, a, ipiv, shape, deadline)?;
            Ok(info)
        })
    }

    /// The process id of the server, if there is one; it may have ended. This does not wait for the calls of other threads.
    #[must_use]
    pub fn server_id(&self) -> Option<u32> {
        Some(self.shared().server_id.load(Ordering::Relaxed)).filter(|&id| id != 0)
    }

    /// Ends the session and waits for the server, which is killed if it takes longer than a second. Returns how it ended, or
    /// `None` if there was no server, because none was started or the last one had failed.
    ///
    /// # Errors
    /// [`Error::Io`] if the system does not know the status any more (see [`Error::Died`]).
    pub fn close(self) -> Result<Option<ExitStatus>, Error> {
        let server = lock(&self.shared().state).server.take();
        let status = server.map(|mut server| server.stop()).transpose();
        status.map_err(|source| Error::Io { operation: "wait for the server", source })
    }

    /// What the threads of this process share; after a fork the pipes of the parent are closed first.
    fn shared(&self) -> &Shared {
        self.shared.get(|parent| {
            // If it is locked now, it stays locked: by a call of a thread that does not exist in this process.
            let may_start = parent.state.try_lock().map_or(self.builder.restart, |mut parent| {
                parent.server = None;
                parent.may_start
            });
            Shared::new(None, may_start)
        })
    }

    /// Closes the pipes of the parent process, if this process was forked from it.
    fn leave_parent(&self) {
        self.shared();
    }

    /// Whether every call from now on returns [`Error::Gone`].
    fn is_gone(&self) -> bool {
        let state = lock(&self.shared().state);
        state.server.is_none() && !state.may_start
    }

    /// Asks the server to end, without waiting for it.
    fn ask_to_end(&mut self) {
        if let Some(server) = &mut lock(&self.shared().state).server {
            server.ask_to_end();
        }
    }

    /// Starts a server unless there is one.
    fn start(&self) -> Result<(), Error> {
        self.converse(|_, _| Ok(()))
    }

    /// Calls `talk` with the pipes to a server that waits for a request. If that fails, the server is ended.
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

    /// Takes the server, or starts one if there is none or if it has ended since the last call.
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
