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
//! # Mapped memory
//!
//! Matrices go to the server, and factors come back, in memory that both processes see ([`Client::transport`] says so):
//! columns are copied in, the server factors them there, and the results are copied out. Pipes carry only a short request
//! and a short answer. [`Builder::mapped`] can forbid it. The first request asks the server whether it does this. If it does
//! not, or if the system refuses memory of this kind (a memfd), matrices go through the pipes, in the frames of version 1.
//!
//! Each server has one segment of such memory. It has at least 64 KiB, grows to the largest matrix with its row swaps and 3%
//! to spare, and is kept from one request to the next. If it has more than 1 MiB, and 16 requests in a row have needed no more
//! than a quarter of it, it shrinks to the largest of them. A size that was refused is not asked for again while the server
//! lives; matrices that need it go through the pipes, all others do not. The memory is freed when the server ends.
//!
//! # Kept factors
//!
//! [`Client::factor`] sends a matrix once; the server factors it, and keeps the factors for any number of calls with right-hand
//! sides: see [`KeptLu`].
//!
//! # When something goes wrong
//!
//! A request that the server refuses, a matrix beyond its `--max-bytes` for example, is [`Error::Refused`]. The server lives
//! on. (It does not if the request went through the pipes: a refusal ends a session of version 1.)
//!
//! If a server ends in the middle of a request, the call returns [`Error::Died`] with its exit code or signal and the last
//! line that it wrote to stderr. A server that does not answer in time ([`Builder::timeout`]), or with bytes that cannot be
//! an answer, is killed. After such an error the next call starts a new server, unless [`Builder::restart`] says otherwise.
//! No request is sent twice. A server that has ended between two calls is replaced silently, since no request is lost. Only the
//! factors that it kept are: their calls return [`Error::FactorsLost`].
//!
//! To give up a call, call [`Client::cancel`] from another thread. The call returns [`Error::Cancelled`], and the server lives
//! on, with its memory.
//!
//! # Processes, descriptors, signals
//!
//! - Servers are always waited for, so none remains as a zombie, even if the client is only dropped: an idle server ends
//!   within milliseconds, any other is killed after at most a second.
//! - The pipes are close-on-exec, so that other children of this process do not hold them open. If this process dies, in
//!   whatever way, its servers end. (The pipes of an adopted child are as the program made them.) The descriptor of a
//!   segment is close-on-exec, too; only its server inherits it. An adopted child opens it by the id of this process.
//! - After `fork` the child process has the client, but not the server. Its first call starts a server of its own, and
//!   dropping the client there does not touch the server of the parent. Until then the child also holds the pipes of the
//!   parent's servers and the descriptors of their memory, which is not mapped in the child; if the parent is killed, those
//!   servers live on until the child has made its first call or has ended. The descriptors of a call that another thread of
//!   the parent was making during the fork stay open until the child ends.
//! - A server is in a process group of its own: Ctrl-C at a terminal reaches the program, which ends its servers when it
//!   ends. (An adopted child stays in the group that the program gave it.)
//! - Writing to a server that has ended raises no SIGPIPE, whatever the program does with that signal.

mod batch;
mod builder;
mod calls;
mod cancel;
mod connection;
mod error;
mod exchange;
mod frame;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod mapped;
mod operands;
mod per_process;
mod pipes;
mod pool;
mod server;
mod sigpipe;
mod size;
mod system;
mod transport;
mod version1;

use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nalgebra::DMatrix;

use crate::lu::{Lu, zeros};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::WireElement;
pub use builder::Builder;
use calls::{Shared, State};
use cancel::Overview;
pub use error::Error;
use per_process::PerProcess;
pub use pool::Pool;
use server::Server;
pub use system::KeptLu;
pub use transport::Transport;

/// A server and the pipes to it.
///
/// It may be shared by threads; their calls take turns. (A [`Pool`] lets them run at the same time.)
#[derive(Debug)]
pub struct Client {
    builder: Builder,
    shared: PerProcess<Shared>,
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
        Client { builder, shared: PerProcess::new(Shared::new(State::new(None, true))) }
    }

    /// A client with this server.
    fn adopted(builder: Builder, child: Child) -> Result<Self, Error> {
        let server = Server::adopt(child, builder.link_to_adopted())?;
        let state = State::new(Some(server), builder.restart);
        Ok(Client { builder, shared: PerProcess::new(Shared::new(state)) })
    }

    /// P A = L U of an m x n matrix: a nalgebra matrix, a view of one, a slice with a leading dimension. `a` is only
    /// read. [`Options::threads`] above 1 asks for several threads, up to the `--threads` of the server; through the pipes
    /// that alone says how many.
    ///
    /// # Errors
    /// [`Error::Argument`] if the system refuses memory for the factors, and every other [`Error`] except
    /// [`Error::NotPiped`].
    pub fn lu<'a, T: WireElement>(&self, a: impl Into<MatrixRef<'a, T>>, options: &Options) -> Result<Lu<T>, Error> {
        let a = a.into();
        let (m, n) = (a.nrows(), a.ncols());
        let mut factors = DMatrix::from_vec(m, n, zeros(m * n)?);
        let mut ipiv = zeros(m.min(n))?;
        let info = self.converse(bytes_of(a), |connection, mut call| {
            let answer = call.ask(connection, |connection, deadline| connection.send(a, options, deadline))?;
            connection.receive(&answer, MatrixMut::from(&mut factors), &mut ipiv, call.deadline)?;
            Ok(answer.info)
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
    /// computation. So they are unchanged after [`Error::Argument`], [`Error::Start`], [`Error::Refused`],
    /// [`Error::Cancelled`] and [`Error::Gone`], and if the server dies or the time is up before the answer. If the answer
    /// ends in its middle, they hold a part of it. Keep a copy, or call [`Client::lu`], if `a` is needed after the other
    /// errors.
    pub fn lu_in_place<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixMut<'a, T>>,
        ipiv: &mut [i64],
        options: &Options,
    ) -> Result<i64, Error> {
        let a = a.into();
        let (expected, found) = (a.nrows().min(a.ncols()), ipiv.len());
        let ipiv = ipiv.get_mut(..expected).ok_or(crate::Error::IpivLength { expected, found })?;
        self.converse(bytes_of(a.as_ref()), |connection, mut call| {
            let answer = call.ask(connection, |connection, deadline| connection.send(a.as_ref(), options, deadline))?;
            connection.receive(&answer, a, ipiv, call.deadline)?;
            Ok(answer.info)
        })
    }

    /// How matrices went to the server in the last request, and why. This does not wait for the calls of other threads.
    #[must_use]
    pub fn transport(&self) -> Transport {
        lock(self.overview()).transport().clone()
    }

    /// The process id of the server, if there is one; it may have ended. This does not wait for the calls of other threads.
    #[must_use]
    pub fn server_id(&self) -> Option<u32> {
        lock(self.overview()).server_id()
    }

    /// Cancels the call that another thread is making, and waits until that call is over. It returns [`Error::Cancelled`],
    /// unless its result came first, and the server lives on. If no call is under way, nothing happens. Returns whether one
    /// was.
    ///
    /// The call may be at any point, even while the matrix is still on its way to the server. Then this waits until the
    /// server has the whole matrix. The server looks for the signal between two blocks of columns, which takes some
    /// milliseconds if the matrix is large. Calls that wait for their turn are not cancelled.
    ///
    /// The signal is SIGUSR1. A server of version 0.1.0 has no handler for it; neither has a shell script that runs a server
    /// without `exec`. Such a process is killed after one second, which cancels the call as well. The next call then starts
    /// a new server, unless [`Builder::restart`] says otherwise.
    pub fn cancel(&self) -> bool {
        cancel::cancel([self.overview()].into_iter()) == 1
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

    /// What other threads may know without waiting for a call.
    fn overview(&self) -> &Mutex<Overview> {
        &self.shared().overview
    }
}

/// Bytes of a matrix. (One without elements may have any sides.)
fn bytes_of<T: WireElement>(a: MatrixRef<'_, T>) -> usize {
    a.nrows().saturating_mul(a.ncols()).saturating_mul(size_of::<T>())
}
