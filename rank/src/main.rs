//! `recfact_rank`: what each rank of an MPI program does to factor a matrix that no machine can hold.
//!
//! It needs no MPI to be built: ScaLAPACK and BLACS, which start MPI, are loaded when it runs, and which of them says the launcher.
//! Every step that can fail on one rank is followed by an agreement of all, so that they end together and rank 0 says why, in one
//! line on stdout. `recfact_distributed` has the lines and the arguments, and reads the lines and writes the arguments.

mod bands;
mod checks;
mod condition;
mod element;
mod factor;
mod factors;
mod failure;
mod file;
mod heartbeat;
mod job;
mod launcher;
mod libraries;
mod matrix;
mod memory;
mod process_grid;
mod progress;
mod residual;
mod results;
mod system;
mod team;

use std::process::ExitCode;
use std::{env, panic};

use clap::Parser;
use recfact_distributed::{Job, Line};

use failure::Failure;
use heartbeat::Heartbeat;
use launcher::Launcher;
use libraries::Libraries;
use team::Team;

fn main() -> ExitCode {
    let job = Job::parse();
    limit_threads(&job);
    // The launcher would only say that a signal has ended this rank.
    panic::set_hook(Box::new(|panic| heartbeat::say(&Failure::engine(panic).line())));
    let launcher = Launcher::of_this_rank();
    // Whoever finds that the launcher has gone leaves nothing behind.
    let leftovers = job.results().iter().map(|result| job.unfinished(result)).collect();
    let heartbeat = Heartbeat::start(launcher.as_ref().ok(), leftovers);
    let team = launcher.and_then(|launcher| {
        let libraries = Libraries::open(job.scalapack.as_deref(), &launcher)?;
        Team::join(libraries, &launcher)
    });
    let team = match team {
        Ok(team) => team,
        Err(failure) => {
            // Nobody can be asked yet, so each rank speaks for itself.
            heartbeat.stop();
            heartbeat::say(&failure.line());
            return ExitCode::FAILURE;
        }
    };
    let result = job::run(&job, &team);
    heartbeat.stop();
    // No rank's line can come between the parts of the last one.
    team.barrier();
    if team.rank() == 0 {
        heartbeat::say(&result.map_or_else(|failure: Failure| failure.line(), Line::Result));
    }
    team.leave();
    ExitCode::SUCCESS
}

/// Has the BLAS use one thread, unless others are asked for: there is a rank for each processor. Its libraries read these variables
/// when they are loaded.
fn limit_threads(job: &Job) {
    for variable in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"] {
        let threads = job.threads.map(|threads| threads.to_string());
        if let Some(threads) = threads.or_else(|| env::var_os(variable).is_none().then(|| "1".into())) {
            // SAFETY: this process has no other thread yet.
            unsafe { env::set_var(variable, threads) };
        }
    }
}
