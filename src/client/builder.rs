//! Settings of a client: which program it starts, with which arguments, and how long it waits.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use super::{Client, Error};

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
}

impl Default for Builder {
    fn default() -> Self {
        Builder { program: None, args: Vec::new(), timeout: None, restart: true }
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
    /// a call waits for as long as the server lives; to end it from another thread, kill [`Client::server_id`].
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
