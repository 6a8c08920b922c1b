//! Settings of a client: which program it starts, with which arguments, and how long it waits.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Child, Command};
use std::time::Duration;

use super::connection::Link;
use super::{Client, Error};
use crate::os::Segment;
use crate::protocol::Owner;

/// The name of the executable.
const EXECUTABLE: &str = "recfact_server";
/// The environment variable that names another one.
const EXECUTABLE_VARIABLE: &str = "RECFACT_SERVER";

/// How to start servers and what to expect of them.
///
/// ```no_run
/// use std::time::Duration;
/// use recfact::client::Builder;
///
/// let client = Builder::new()
///     .program("/opt/recfact/bin/recfact_server")
///     .args(["--threads", "2", "--max-bytes", "8GiB"])
///     .timeout(Duration::from_secs(60))
///     .spawn()?;
/// # Ok::<(), recfact::client::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    program: Option<PathBuf>,
    args: Vec<OsString>,
    pub(super) timeout: Option<Duration>,
    pub(super) restart: bool,
    mapped: Option<bool>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { program: None, args: Vec::new(), timeout: None, restart: true, mapped: None }
    }
}

impl Builder {
    /// No arguments, no time-out, a new server in place of one that has ended.
    #[must_use]
    pub fn new() -> Self {
        Builder::default()
    }

    /// The executable. A name without a slash is looked up in `PATH`.
    ///
    /// Without this it is the value of the environment variable `RECFACT_SERVER`, unless that is empty; else the file
    /// `recfact_server` in the folder of the running executable, if there is one; else `recfact_server` in `PATH`. This is
    /// decided anew for each server that is started.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Adds arguments for the executable, such as `--threads` and `--max-bytes`.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// How long a request may take, from its first byte to the last byte of the answer, including the start of a server if
    /// one has to be started. The time that a call waits for the calls of other threads does not count. Without a time-out
    /// a call waits for as long as the server lives, or until another thread calls [`Client::cancel`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether a call starts a new server if the old one has ended; the default is `true`. With `false` the call that finds
    /// that the server has ended returns [`Error::Died`], which says how it ended, and every later call [`Error::Gone`].
    #[must_use]
    pub fn restart(mut self, restart: bool) -> Self {
        self.restart = restart;
        self
    }

    /// Whether matrices go through memory that this process and the server both see, instead of through the pipes.
    ///
    /// Without this they do if the server and the system allow it. A server of an older version, which does not know that,
    /// ends when it is asked; the client then starts another one, and uses the pipes. So a child that was adopted and may not
    /// be replaced ([`Builder::restart`]) is not asked. With `true` that one is asked as well: it must be a server of this
    /// version or a later one. With `false` no server is asked, and matrices go through the pipes.
    #[must_use]
    pub fn mapped(mut self, mapped: bool) -> Self {
        self.mapped = Some(mapped);
        self
    }

    /// Starts a server.
    ///
    /// # Errors
    /// [`Error::Start`], [`Error::Io`].
    pub fn spawn(self) -> Result<Client, Error> {
        let client = Client::idle(self);
        client.start()?;
        Ok(client)
    }

    /// Takes over a server that has just been started, or that has answered all its requests. Its stdin and stdout must be
    /// pipes to this process; stderr may be one, for the last line in an [`Error`]. If the server ends, the next call starts
    /// another one with the settings of this builder, unless [`Builder::restart`] forbids it.
    ///
    /// # Errors
    /// [`Error::NotPiped`], [`Error::Io`]; then the child has been killed.
    pub fn adopt(self, child: Child) -> Result<Client, Error> {
        Client::adopted(self, child)
    }

    /// How to reach a server that will be started.
    pub(super) fn link_to_own(&self) -> Link {
        self.link(true, Owner::Server)
    }

    /// How to reach a child that was adopted: if it is asked to map memory, it finds it by the id of this process.
    pub(super) fn link_to_adopted(&self) -> Link {
        self.link(self.restart || self.mapped == Some(true), Owner::Process(process::id() as i32))
    }

    fn link(&self, may_ask: bool, owner: Owner) -> Link {
        if self.mapped == Some(false) {
            return Link::Pipes("Builder::mapped(false) asks for them".into());
        }
        if !may_ask {
            return Link::Pipes("an adopted server that may not be replaced is not asked for more".into());
        }
        match Segment::new() {
            Ok(segment) => Link::Offered(segment, owner),
            Err(error) => Link::Pipes(format!("expected a memfd, got: {error}")),
        }
    }

    /// The command that starts a server.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.program.clone().unwrap_or_else(find));
        // A process group of its own: Ctrl-C at a terminal reaches the program, which decides about its servers.
        command.args(&self.args).process_group(0);
        command
    }
}

/// The executable, if the program has not named one.
fn find() -> PathBuf {
    let named = env::var_os(EXECUTABLE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let beside = || env::current_exe().ok().map(|own| own.with_file_name(EXECUTABLE)).filter(|path| path.is_file());
    named.or_else(beside).unwrap_or_else(|| EXECUTABLE.into())
}
