//! Several servers for parallel callers.

use std::process::ExitStatus;
use std::sync::{Condvar, Mutex, PoisonError};

use super::cancel::cancel;
use super::per_process::PerProcess;
use super::{Builder, Client, Error, lock};
use crate::lu::Lu;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::WireElement;

/// A limited number of servers. Each call has one to itself, and waits if all are busy.
///
/// A server is started when a call finds none that is free; the one that was used last is used next. Dropping the pool
/// ends all of them, at the same time. What [`Client`] says of errors, restarts, time-outs, threads and `fork` is true here
/// as well. With [`restart(false)`](Builder::restart) a server that has ended is not replaced, and after the last one every
/// call returns [`Error::Gone`].
///
/// ```no_run
/// use nalgebra::DMatrix;
/// use recfact::Options;
/// use recfact::client::Builder;
///
/// let pool = Builder::new().pool(4);
/// std::thread::scope(|scope| {
///     for n in 1..100 {
///         let pool = &pool;
///         scope.spawn(move || pool.lu(&DMatrix::<f64>::identity(n, n), &Options::default()));
///     }
/// });
/// # Ok::<(), recfact::client::Error>(())
/// ```
#[derive(Debug)]
pub struct Pool {
    clients: Vec<Client>,
    availability: PerProcess<Availability>,
}

/// Which clients are free.
#[derive(Debug)]
struct Availability {
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Debug)]
struct Counts {
    /// The indices of the clients that no call has.
    free: Vec<usize>,
    /// The indices of those that answer no more.
    gone: Vec<usize>,
}

impl Availability {
    /// All clients are free.
    fn new(size: usize) -> Self {
        let counts = Counts { free: (0..size).rev().collect(), gone: Vec::new() };
        Availability { counts: Mutex::new(counts), changed: Condvar::new() }
    }
}

impl Builder {
    /// A pool of up to `size` servers, at least one. None is started yet.
    #[must_use]
    pub fn pool(self, size: usize) -> Pool {
        Pool::new(&self, size)
    }
}

/// A client that a call has to itself until this is dropped.
struct Taken<'p> {
    client: &'p Client,
    index: usize,
    availability: &'p Availability,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut counts = lock(&self.availability.counts);
        if self.client.is_gone() {
            counts.gone.push(self.index);
        } else {
            counts.free.push(self.index);
        }
        // Of those that wait, one may wait for this client and no other.
        self.availability.changed.notify_all();
    }
}

impl Pool {
    pub(super) fn new(builder: &Builder, size: usize) -> Self {
        let clients: Vec<Client> = (0..size.max(1)).map(|_| Client::idle(builder.clone())).collect();
        Pool { availability: PerProcess::new(Availability::new(clients.len())), clients }
    }

    /// The largest number of servers that run at the same time.
    #[must_use]
    pub fn size(&self) -> usize {
        self.clients.len()
    }

    /// [`Client::lu`] on a server that is free.
    ///
    /// # Errors
    /// Those of that method.
    pub fn lu<'a, T: WireElement>(&self, a: impl Into<MatrixRef<'a, T>>, options: &Options) -> Result<Lu<T>, Error> {
        self.with(|client| client.lu(a, options))
    }

    /// [`Client::lu_in_place`] on a server that is free.
    ///
    /// # Errors
    /// Those of that method.
    pub fn lu_in_place<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixMut<'a, T>>,
        ipiv: &mut [i64],
        options: &Options,
    ) -> Result<i64, Error> {
        self.with(|client| client.lu_in_place(a, ipiv, options))
    }

    /// Cancels all calls that other threads have under way, and waits until they are over, as [`Client::cancel`] does.
    /// Returns how many there were. Calls that wait for a server go on.
    pub fn cancel(&self) -> usize {
        cancel(self.clients.iter().map(Client::overview))
    }

    /// Ends all servers and waits for them. Returns the exit statuses of those that were running.
    ///
    /// # Errors
    /// The first [`Error::Io`] of [`Client::close`]; every server has ended nevertheless.
    pub fn close(mut self) -> Result<Vec<ExitStatus>, Error> {
        self.ask_to_end();
        let ends: Vec<_> = self.clients.drain(..).map(Client::close).collect();
        ends.into_iter().filter_map(Result::transpose).collect()
    }

    /// Calls `call` with a client that is free.
    pub(super) fn with<R>(&self, call: impl FnOnce(&Client) -> Result<R, Error>) -> Result<R, Error> {
        self.with_index(call).map(|(_, result)| result)
    }

    /// The same; returns which client that was, too.
    pub(super) fn with_index<R>(&self, call: impl FnOnce(&Client) -> Result<R, Error>) -> Result<(usize, R), Error> {
        let taken = self.take(None)?;
        Ok((taken.index, call(taken.client)?))
    }

    /// Calls `call` with this client, when it is free.
    ///
    /// # Errors
    /// [`Error::FactorsLost`] if its server has ended for good.
    pub(super) fn with_client<R>(
        &self,
        index: usize,
        call: impl FnOnce(&Client) -> Result<R, Error>,
    ) -> Result<R, Error> {
        call(self.take(Some(index)).map_err(|_| Error::FactorsLost)?.client)
    }

    /// One of the clients, free or not.
    pub(super) fn client(&self, index: usize) -> &Client {
        &self.clients[index]
    }

    /// Takes a client that is free, or that one, or waits for it.
    fn take(&self, wanted: Option<usize>) -> Result<Taken<'_>, Error> {
        let availability = self.availability.get(|_| {
            self.clients.iter().for_each(Client::leave_parent);
            Availability::new(self.clients.len())
        });
        let mut counts = lock(&availability.counts);
        loop {
            let at = match wanted {
                Some(index) => counts.free.iter().position(|&free| free == index),
                None => counts.free.len().checked_sub(1),
            };
            if let Some(at) = at {
                let index = counts.free.remove(at);
                return Ok(Taken { client: &self.clients[index], index, availability });
            }
            let is_gone = |index| counts.gone.contains(&index);
            if wanted.map_or(counts.gone.len() == self.clients.len(), is_gone) {
                return Err(Error::Gone);
            }
            counts = availability.changed.wait(counts).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks all servers to end, so that they end at the same time and not one after the other.
    fn ask_to_end(&mut self) {
        self.clients.iter_mut().for_each(Client::ask_to_end);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.ask_to_end();
    }
}
