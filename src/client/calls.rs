//! How a call gets a server, and what becomes of that server when the call fails.

use std::mem;
use std::sync::Mutex;
use std::time::Instant;

use super::cancel::{Call, Overview};
use super::connection::{Connection, Link};
use super::pipes::Break;
use super::server::Server;
use super::{Client, Error, lock};
use crate::protocol::Refusal;

/// What the threads of a process share of a client.
#[derive(Debug)]
pub(super) struct Shared {
    /// A call holds it.
    pub(super) state: Mutex<State>,
    /// For callers that do not want to wait for a call.
    pub(super) overview: Mutex<Overview>,
    /// Kept factors that nobody has any more. The next call has the server forget them.
    pub(super) dropped: Mutex<Vec<Kept>>,
}

impl Shared {
    pub(super) fn new(state: State) -> Self {
        let overview = Overview::new(state.server.as_ref().map(Server::id));
        Shared { state: Mutex::new(state), overview: Mutex::new(overview), dropped: Mutex::default() }
    }
}

/// Factors that a server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// The number of the connection to that server.
    pub(super) connection: u64,
    /// The handle that the server has given them.
    pub(super) handle: u32,
}

/// The server of a process.
#[derive(Debug)]
pub(super) struct State {
    /// The server. A call takes it out, and puts it back unless the call fails.
    pub(super) server: Option<Server>,
    /// Whether a server may be started if there is none.
    may_start: bool,
    /// Whether a server knew version 1 only; no other is asked for more.
    version1: bool,
}

impl State {
    pub(super) fn new(server: Option<Server>, may_start: bool) -> Self {
        State { server, may_start, version1: false }
    }
}

impl Client {
    /// What the threads of this process share; after a fork the pipes of the parent are closed first.
    pub(super) fn shared(&self) -> &Shared {
        self.shared.get(|parent| {
            // If it is locked now, it stays locked: by a call of a thread that does not exist in this process.
            Shared::new(parent.state.try_lock().map_or(State::new(None, self.builder.restart), |mut parent| {
                parent.server = None;
                State { server: None, ..*parent }
            }))
        })
    }

    /// Closes the pipes of the parent process, if this process was forked from it.
    pub(super) fn leave_parent(&self) {
        self.shared();
    }

    /// Whether every call from now on returns [`Error::Gone`].
    pub(super) fn is_gone(&self) -> bool {
        let state = lock(&self.shared().state);
        state.server.is_none() && !state.may_start
    }

    /// Asks the server to end, without waiting for it.
    pub(super) fn ask_to_end(&mut self) {
        if let Some(server) = &mut lock(&self.shared().state).server {
            server.ask_to_end();
        }
    }

    /// Notes that nobody has these factors any more. It waits for no call, and no server.
    pub(super) fn forget(&self, kept: Kept) {
        let mut dropped = lock(&self.shared().dropped);
        // If the system refuses memory for the note, the server keeps them until it ends.
        if dropped.try_reserve(1).is_ok() {
            dropped.push(kept);
        }
    }

    /// Starts a server unless there is one.
    pub(super) fn start(&self) -> Result<(), Error> {
        let shared = self.shared();
        let mut state = lock(&shared.state);
        state.server = Some(self.ready(&mut state, shared, self.deadline())?);
        Ok(())
    }

    /// The end of the time that a call has which begins now.
    fn deadline(&self) -> Option<Instant> {
        self.builder.timeout.and_then(|timeout| Instant::now().checked_add(timeout))
    }

    /// Calls `talk` with the connection to a server that waits for a request, for a matrix of `bytes` bytes. If that fails,
    /// the server is ended, unless it has only refused the request.
    pub(super) fn converse<R>(
        &self,
        bytes: usize,
        talk: impl FnOnce(&mut Connection, Call<'_>) -> Result<R, Break>,
    ) -> Result<R, Error> {
        self.converse_with(None, bytes, talk)
    }

    /// The same with the server that keeps these factors, and with no other.
    ///
    /// # Errors
    /// [`Error::FactorsLost`] if that server has ended.
    pub(super) fn converse_with<R>(
        &self,
        kept: Option<Kept>,
        bytes: usize,
        talk: impl FnOnce(&mut Connection, Call<'_>) -> Result<R, Break>,
    ) -> Result<R, Error> {
        let shared = self.shared();
        let mut state = lock(&shared.state);
        let deadline = self.deadline();
        let call = Call::begin(&shared.overview, deadline);
        let mut server = match kept {
            Some(kept) => self.keeper(&mut state, shared, deadline, kept)?,
            None => self.ready(&mut state, shared, deadline)?,
        };
        let result = match server.connection.decide(bytes, deadline) {
            Err(Break::Version1) if server.is_own || state.may_start => {
                state.version1 = true;
                lock(&shared.overview).ends();
                drop(server);
                server = self.start_server(&mut state, shared)?;
                talk(&mut server.connection, call)
            }
            decided => decided
                .and_then(|()| forget_dropped(shared, &mut server.connection, deadline))
                .and_then(|()| talk(&mut server.connection, call)),
        };
        match result {
            Ok(result) => {
                state.server = Some(server);
                Ok(result)
            }
            Err(broken) => Err(self.fail(broken, server, &mut state, shared, deadline)),
        }
    }

    /// What the caller is told of a call that has failed. The server is put back if it goes on.
    fn fail(
        &self,
        broken: Break,
        server: Server,
        state: &mut State,
        shared: &Shared,
        deadline: Option<Instant>,
    ) -> Error {
        match broken {
            Break::Refused { code, message: message @ Some(_) } => {
                state.server = Some(server);
                let is_cancelled = code == i64::from(Refusal::Cancelled.code());
                if is_cancelled { Error::Cancelled } else { Error::Refused { code, message, line: None } }
            }
            Break::Lacks { feature, has_ended: false } => {
                state.server = Some(server);
                Error::lacks(feature)
            }
            Break::Lacks { feature, has_ended: true } => {
                state.version1 = true;
                lock(&shared.overview).ends();
                Error::lacks(feature)
            }
            broken => {
                let is_killed = lock(&shared.overview).ends();
                let error = server.fail(broken, self.builder.timeout, deadline);
                if is_killed { Error::Cancelled } else { error }
            }
        }
    }

    /// Takes the server, or starts one if there is none or if it has ended since the last call.
    fn ready(&self, state: &mut State, shared: &Shared, deadline: Option<Instant>) -> Result<Server, Error> {
        match self.running(state, shared, deadline)? {
            Some(server) => Ok(server),
            None if state.may_start => self.start_server(state, shared),
            None => Err(Error::Gone),
        }
    }

    /// Takes the server that keeps factors.
    fn keeper(
        &self,
        state: &mut State,
        shared: &Shared,
        deadline: Option<Instant>,
        kept: Kept,
    ) -> Result<Server, Error> {
        if state.server.as_ref().is_none_or(|server| server.connection.number() != kept.connection) {
            return Err(Error::FactorsLost);
        }
        self.running(state, shared, deadline)?.ok_or(Error::FactorsLost)
    }

    /// Takes the server; `None` if there is none, or if it has ended since the last call and another may be started.
    fn running(&self, state: &mut State, shared: &Shared, deadline: Option<Instant>) -> Result<Option<Server>, Error> {
        let Some(mut server) = state.server.take() else { return Ok(None) };
        let Err(broken) = server.connection.pipes.check_silence() else { return Ok(Some(server)) };
        lock(&shared.overview).ends();
        match broken {
            Break::Ended if state.may_start => Ok(None),
            _ => Err(server.fail(broken, self.builder.timeout, deadline)),
        }
    }

    /// Starts a server.
    fn start_server(&self, state: &mut State, shared: &Shared) -> Result<Server, Error> {
        let link = if state.version1 {
            Link::Pipes("the server knows no other frames".into())
        } else {
            self.builder.link_to_own()
        };
        let mut server = Server::start(self.builder.command(), link)?;
        if state.version1 {
            server.connection.knows_version1_only();
        }
        lock(&shared.overview).started(server.id());
        state.may_start = self.builder.restart;
        Ok(server)
    }
}

/// Has the server forget the factors that were dropped since the last call.
fn forget_dropped(shared: &Shared, connection: &mut Connection, deadline: Option<Instant>) -> Result<(), Break> {
    // What another server has kept went with that one.
    let dropped = mem::take(&mut *lock(&shared.dropped));
    let number = connection.number();
    let mut of_this = dropped.into_iter().filter(|kept| kept.connection == number);
    of_this.try_for_each(|kept| connection.release(kept.handle, deadline))
}
