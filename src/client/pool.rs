//! Several servers for parallel callers.

use std::process::ExitStatus;
use std::sync::{Condvar, Mutex, PoisonError};

use super::per_process::PerProcess;
use super::{Builder, Client, Error, lock};
use crate::lu::Lu;
use crate::matrix::{MatrixMut, MatrixRef};
use crate::options::Options;
use crate::protocol::WireElement;

/// Up to so many servers: each call has one for itself, and waits where all are at work.
///
/// A server is started when a call finds none that is free; the one that was used last is used next. Dropping the pool
/// ends them all, at the same time. What [`Client`] says of errors, restarts, time-outs, threads and `fork` is true here,
/// too; with [`restart(false)`](Builder::restart) a server that has ended is one less, and after the last one every call
/// is an [`Error::Gone`].
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
    desk: PerProcess<Desk>,
}

/// Who may call.
#[derive(Debug)]
struct Desk {
    numbers: Mutex<Numbers>,
    change: Condvar,
}

#[derive(Debug)]
struct Numbers {
    /// The clients that no call has.
    free: Vec<usize>,
    /// How many there are that can still answer, free or not.
    living: usize,
}

impl Desk {
    /// All clients are free.
    fn new(size: usize) -> Self {
        let numbers = Numbers { free: (0..size).rev().collect(), living: size };
        Desk { numbers: Mutex::new(numbers), change: Condvar::new() }
    }
}

impl Builder {
    /// A pool of up to `size` servers, at least one. None is started yet.
    #[must_use]
    pub fn pool(self, size: usize) -> Pool {
        Pool::new(&self, size)
    }
}

/// A client for the time of a call.
struct Taken<'p> {
    client: &'p Client,
    number: usize,
    desk: &'p Desk,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut numbers = lock(&self.desk.numbers);
        if self.client.is_gone() {
            numbers.living -= 1;
            self.desk.change.notify_all();
        } else {
            numbers.free.push(self.number);
            self.desk.change.notify_one();
        }
    }
}

impl Pool {
    pub(super) fn new(builder: &Builder, size: usize) -> Self {
        let clients: Vec<Client> = (0..size.max(1)).map(|_| Client::idle(builder.clone())).collect();
        Pool { desk: PerProcess::new(Desk::new(clients.len())), clients }
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
    pub fn lu<'a, T: WireElement>(&self, a: impl Into<MatrixRef<'a, T>>, options: &Options) -> Result<Lu<T>, Error> {
        self.take()?.client.lu(a, options)
    }

    /// [`Client::lu_in_place`] on a server that is free.
    ///
    /// # Errors
    /// As there.
    pub fn lu_in_place<'a, T: WireElement>(
        &self,
        a: impl Into<MatrixMut<'a, T>>,
        ipiv: &mut [i64],
        options: &Options,
    ) -> Result<i64, Error> {
        self.take()?.client.lu_in_place(a, ipiv, options)
    }

    /// Ends all servers and waits for them. Returns how those have ended that were running.
    ///
    /// # Errors
    /// The first [`Error::Io`] of [`Client::close`]; every server has ended all the same.
    pub fn close(mut self) -> Result<Vec<ExitStatus>, Error> {
        self.ask_to_end();
        let ends: Vec<_> = self.clients.drain(..).map(Client::close).collect();
        ends.into_iter().filter_map(Result::transpose).collect()
    }

    /// Takes a client that is free, or waits for one.
    fn take(&self) -> Result<Taken<'_>, Error> {
        let desk = self.desk.get(|_| {
            self.clients.iter().for_each(Client::leave_parent);
            Desk::new(self.clients.len())
        });
        let mut numbers = lock(&desk.numbers);
        loop {
            if let Some(number) = numbers.free.pop() {
                return Ok(Taken { client: &self.clients[number], number, desk });
            }
            if numbers.living == 0 {
                return Err(Error::Gone);
            }
            numbers = desk.change.wait(numbers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks all servers to end, so that the time that they may take is one for all.
    fn ask_to_end(&mut self) {
        self.clients.iter_mut().for_each(Client::ask_to_end);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.ask_to_end();
    }
}
