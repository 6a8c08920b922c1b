//! `recfact_server serve`: the session on stdin and stdout.

use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::thread::available_parallelism;

use super::exit::ExitStatus;
use super::report::Report;
use super::{EXECUTABLE, Failure, ranks, say, threads};
use crate::os::{Input, Output, end_on_signals, on_sigusr1, physical_memory};
use crate::server::{Cause, Limits, Watch, serve_watched};
use bytesize::ByteSize;
use recfact_distributed::LauncherArgs;

/// The limit if the system does not tell its memory.
const FALLBACK_MAX_BYTES: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Refuse matrices larger than this, e.g. 500MB or 8GiB [default: half of the physical memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_bytes: Option<ByteSize>,
    /// Keep factors of at most this size together [default: what --max-bytes is]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    keep_bytes: Option<ByteSize>,
    /// Threads for the threaded commands [default: as many as the process may use]
    #[arg(long, value_name = "N", value_parser = threads::parse)]
    threads: Option<NonZeroUsize>,
    /// Write how far a long request is to this descriptor, as lines `progress REQUEST DONE`
    #[arg(long, value_name = "FD", value_parser = clap::value_parser!(u32).range(2..=i64::from(i32::MAX)))]
    progress_fd: Option<u32>,
    #[command(flatten)]
    launcher: LauncherArgs,
}

/// The session, for the signal handler and for the thread that reports.
static WATCH: Watch = Watch::new();

extern "C" fn cancel(_: i32) {
    WATCH.cancel();
}

fn parse_size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "expected a number of bytes, perhaps with a unit, as in 500MB or 8GiB".into())
}

impl Args {
    fn limits(&self) -> Result<Limits, Failure> {
        let half = || physical_memory().map_or(FALLBACK_MAX_BYTES, |bytes| bytes / 2);
        let threads = self.threads.or_else(|| available_parallelism().ok());
        let max_bytes = self.max_bytes.map_or_else(half, |size| size.as_u64());
        Ok(Limits {
            max_bytes,
            keep_bytes: self.keep_bytes.map_or(max_bytes, |size| size.as_u64()),
            threads: threads.map_or(1, NonZeroUsize::get),
            engine: ranks::engine(self.launcher.engine())?,
        })
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let setup = |error: io::Error| Failure::io("expected to set up stdin, stdout and signals, got", &error);
    let mut limits = args.limits()?;
    if io::stdin().is_terminal() {
        say(EXECUTABLE, "waiting for binary requests on the terminal; --help tells what else there is");
    }
    // While stdout is still what the parent has given.
    let report = Report::new(args.progress_fd.map(u32::cast_signed))
        .map_err(|error| Failure::new(ExitStatus::Usage, format_args!("--progress-fd: {error}")))?;
    if let Some(engine) = limits.engine.take() {
        // A client that dies does not leave its ranks computing for hours.
        let reader = io::stdout().as_fd().try_clone_to_owned().map_err(setup)?;
        limits.engine = Some(engine.for_reader(reader));
    }
    let output = Output::take_stdout().map_err(setup)?;
    let input = Input::stdin().map_err(setup)?;
    end_on_signals().map_err(setup)?;
    on_sigusr1(cancel).map_err(setup)?;
    report.start(&WATCH).map_err(setup)?;
    serve_watched(input, output, &limits, &WATCH).map_err(|error| match error.cause {
        Cause::ReaderGone => Failure { status: ExitStatus::ReaderGone, message: None },
        ref cause => Failure::new(cause.into(), &error),
    })
}
