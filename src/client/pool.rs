//! Several servers for parallel callers.

use std::process::ExitStatus;
use std::sync::{Condvar, Mutex};

use super::per_process::PerProcess;
use super::{Builder, Client, Error, lock};
use crate::lu::{Lu, Options};
use crate::matrix::{MatrixMut, MatrixRef};
use crate::real::Real;

/// Up to so many servers: each call has one for itself, and waits where all are at work.
///
/// A server is started when a call finds none that is free; the one that was used last is used next. Dropping the pool
/// ends them all. What [`Client`] says of errors, restarts, time-outs, threads and `fork` is true here, too.
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
    free: PerProcess<Free>,
}

/// The numbers of the clients that no call has.
#[derive(Debug)]
struct Free {
    clients: Mutex<Vec<usize>>,
    one_more: Condvar,
}

impl Free {
    /// All of them.
    fn all(size: usize) -> Self {
        Free { clients: Mutex::new((0..size).rev().collect()), one_more: Condvar::new() }
    }
}

/// A client for the time of a call.
struct Taken<'p> {
    client: &'p Client,
    number: usize,
    free: &'p Free,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        lock(&self.free.clients).push(self.number);
        self.free.one_more.notify_one();
    }
}

impl Pool {
    pub(super) fn new(builder: &Builder, size: usize) -> Self {
        let clients: Vec<Client> = (0..size.max(1)).map(|_| Client::idle(builder.clone())).collect();
        Pool { free: PerProcess::new(Free::all(clients.len())), clients }
    }

    /// The most servers that run at the same time.
    #[must_use]
    pub fn size(&self) -> usize {
        self.clients.len()
    }

    /// [`Client::lu`] on a server that is free.
    ///
    /// # Errors
    /// As there.
    pub fn lu<'a, T: Real>(&self, a: impl Into<MatrixRef<'a, T>>, options: &Options) -> Result<Lu<T>, Error> {
        self.take().client.lu(a, options)
    }

    /// [`Client::lu_in_place`] on a server that is free.
    ///
    /// # Errors
    /// As there.
    pub fn lu_in_place<'a, T: Real>(
        &self,
        a: impl Into<MatrixMut<'a, T>>,
        ipiv: &mut [i64],
        options: &Options,
    ) -> Result<i64, Error> {
        self.take().client.lu_in_place(a, ipiv, options)
    }

    /// Ends all servers and waits for them. Returns how those have ended that were running.
    ///
    /// # Errors
    /// The first [`Error::Io`] of [`Client::close`]; every server has ended all the same.
    pub fn close(self) -> Result<Vec<ExitStatus>, Error> {
        let ends: Vec<_> = self.clients.into_iter().map(Client::close).collect();
        ends.into_iter().filter_map(Result::transpose).collect()
    }

    /// Takes a client that is free, or waits for one.
    fn take(&self) -> Taken<'_> {
        let free = self.free.get(|_| {
            self.clients.iter().for_each(Client::leave_parent);
            Free::all(self.clients.len())
        });
        let mut clients = lock(&free.clients);
        loop {
            if let Some(number) = clients.pop() {
                return Taken { client: &self.clients[number], number, free };
            }
            clients = free.one_more.wait(clients).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}
