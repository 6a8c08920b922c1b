//! What a client starts, and how long it waits.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use super::{Client, Error};

/// The name of the executable.
const NAME: &str = "recfact_server";
/// The environment variable that says where it is.
const VARIABLE: &str = "RECFACT_SERVER";

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

    /// The executable. A name without a slash is looked for in `PATH`.
    ///
    /// Without this it is what the environment variable `RECFACT_SERVER` says; where that is not set or empty, a file
    /// `recfact_server` in the folder of the running executable; where there is none, `recfact_server` in `PATH`. It is
    /// looked for at each start.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Arguments for the executable, after those of earlier calls: `--threads`, `--max-bytes`.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// How long a request may take, from its first byte to the last byte of the answer, the start of a server
    /// included where one has to be started. What a call waits for other threads' calls is not counted. Without it a
    /// call waits as long as the server lives; to end one from another thread, kill [`Client::server_id`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether a call starts a new server where the old one has ended. It does, unless this says `false`: then the call
    /// that finds the server ended is an [`Error::Died`], with how it ended, and every later one an [`Error::Gone`].
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

    /// Takes over a server that has just been started, or that has answered all that it was asked. Its stdin and stdout
    /// must be pipes to this process; stderr may be one, for the last line in an [`Error`]. Where the server ends, the
    /// next call starts another as this builder says, unless [`Builder::restart`] forbids it.
    ///
    /// # Errors
    /// [`Error::NotPiped`], [`Error::Io`]; the child has been killed then.
    pub fn adopt(self, child: Child) -> Result<Client, Error> {
        Client::adopted(self, child)
    }

    /// The command that starts a server.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.program.clone().unwrap_or_else(find));
        // A group of its own: Ctrl-C at a terminal is for the program, which then decides.
        command.args(&self.args).process_group(0);
        command
    }
}

/// Where the executable is, unless the program says so.
fn find() -> PathBuf {
    let named = env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let beside = || env::current_exe().ok().map(|own| own.with_file_name(NAME)).filter(|path| path.is_file());
    named.or_else(beside).unwrap_or_else(|| NAME.into())
}
