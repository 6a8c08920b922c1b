//! What other threads may know of a client while one of them makes a call, and how they cancel that call.
//!
//! Signals are sent under the lock under which calls begin and end, and under which the client forgets a server before it
//! waits for it. So no signal reaches a later call, or a process that has got the number of a server.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::connection::Connection;
use super::lock;
use super::pipes::Break;
use super::transport::Transport;
use crate::os::catches;

/// Between two signals. One is not enough: the server ignores those that come before it computes.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a server may have no handler for the signal. One that has just been started needs a millisecond or so.
const START_TIMEOUT: Duration = Duration::from_secs(1);

/// What other threads may know. It has a lock of its own, which no call holds while it waits.
#[derive(Debug)]
pub(super) struct Overview {
    /// How the last request went.
    transport: Transport,
    /// The server, until the client waits for it: after that another process may get its number.
    process: Option<Process>,
    /// The number of calls so far.
    calls: u64,
    /// The call that has no answer yet, if there is one.
    under_way: Option<u64>,
}

#[derive(Debug)]
struct Process {
    id: u32,
    /// Whether it was killed to end a call.
    is_killed: bool,
}

impl Overview {
    pub(super) fn new(process: Option<u32>) -> Self {
        let mut overview = Overview { transport: Transport::Undecided, process: None, calls: 0, under_way: None };
        if let Some(id) = process {
            overview.started(id);
        }
        overview
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(super) fn server_id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.id)
    }

    /// There is a new server.
    pub(super) fn started(&mut self, id: u32) {
        self.process = Some(Process { id, is_killed: false });
    }

    /// The client is going to wait for the server. Returns whether that was killed to end a call.
    pub(super) fn ends(&mut self) -> bool {
        self.process.take().is_some_and(|process| process.is_killed)
    }

    /// Has the server give up this call. Returns whether it was still under way.
    fn interrupt(&mut self, call: u64, is_patient: bool) -> bool {
        if self.under_way != Some(call) {
            return false;
        }
        let Some(process) = &mut self.process else { return true };
        // The signal would end a server that has no handler for it.
        let signal = if catches(process.id, Signal::SIGUSR1) {
            Signal::SIGUSR1
        } else if is_patient {
            return true;
        } else {
            process.is_killed = true;
            Signal::SIGKILL
        };
        // It has not been waited for, so the number is its own. If it has ended, nothing happens.
        let _ = kill(Pid::from_raw(process.id as i32), signal);
        true
    }
}

/// A call, which may be cancelled until its answer has come.
#[derive(Debug)]
pub(super) struct Call<'s> {
    overview: &'s Mutex<Overview>,
    pub(super) deadline: Option<Instant>,
    is_answered: bool,
}

impl<'s> Call<'s> {
    /// Begins a call. Only the thread whose turn it is may do this.
    pub(super) fn begin(overview: &'s Mutex<Overview>, deadline: Option<Instant>) -> Self {
        let mut now = lock(overview);
        now.calls += 1;
        now.under_way = Some(now.calls);
        Call { overview, deadline, is_answered: false }
    }

    /// Calls `send`, which sends a request and waits for its answer, but not for the results, which may be in the pipes.
    pub(super) fn ask<R>(
        &mut self,
        connection: &mut Connection,
        send: impl FnOnce(&mut Connection, Option<Instant>) -> Result<R, Break>,
    ) -> Result<R, Break> {
        let answer = send(connection, self.deadline);
        let mut now = lock(self.overview);
        now.transport.clone_from(connection.transport());
        now.under_way = None;
        self.is_answered = true;
        // A server that was killed may have written a part of the results only.
        if now.process.as_ref().is_some_and(|process| process.is_killed) { Err(Break::Ended) } else { answer }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            lock(self.overview).under_way = None;
        }
    }
}

/// Cancels the calls that these clients have under way, and waits until they are over. Returns how many there were.
pub(super) fn cancel<'s>(clients: impl Iterator<Item = &'s Mutex<Overview>>) -> usize {
    let mut calls: Vec<_> = clients.filter_map(|overview| Some((overview, lock(overview).under_way?))).collect();
    let (count, start) = (calls.len(), Instant::now());
    loop {
        let is_patient = start.elapsed() < START_TIMEOUT;
        calls.retain(|&(overview, call)| lock(overview).interrupt(call, is_patient));
        if calls.is_empty() {
            return count;
        }
        sleep(PAUSE);
    }
}
