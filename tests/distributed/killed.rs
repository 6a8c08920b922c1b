//! Ranks, launchers and the executable that are killed or stopped while they compute: no rank stays behind, and no
//! result.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;

use crate::folder::{Folder, Started};
use crate::machine::{Mpi, large};
use crate::processes::expect_gone;

/// A job that takes many seconds, and the folder that it runs in.
fn long_job<'f>(folder: &'f Folder, mpi: Mpi, options: &str) -> Started<'f> {
    folder.write_older_results();
    let args = format!("{} -o f --block 1 {options}", large().display());
    folder.start(&mut folder.command("factor", &mpi.as_installed(2), &args))
}

#[test]
fn a_rank_that_is_killed_ends_all_others() {
    for mpi in Mpi::present("ranks that are killed") {
        for victim in [0, 1] {
            let folder = Folder::new();
            let job = long_job(&folder, mpi, "");
            let before = folder.contents();
            job.busy_ranks(2)[victim].send(Signal::SIGKILL);
            let output = job.finish();
            let ended = format!("expected a result of the ranks, but {} ended with ", mpi.mpirun());
            folder.check_failure(&before, &output, 69, &[&ended, "illed"]);
        }
    }
}

#[test]
fn a_rank_that_crashes_ends_all_others() {
    for mpi in Mpi::present("ranks that crash") {
        let folder = Folder::new();
        let job = long_job(&folder, mpi, "");
        let before = folder.contents();
        job.busy_ranks(2)[1].send(Signal::SIGABRT);
        folder.check_failure(&before, &job.finish(), 69, &["expected a result of the ranks, but ", "bort"]);
    }
}

/// As one whose host has gone: no launcher notices it. The shortest silence that is not normal is ten seconds.
#[test]
fn a_rank_that_is_stopped_is_named_and_all_of_them_are_ended() {
    let folders: Vec<_> = Mpi::present("ranks that are stopped").into_iter().map(|mpi| (mpi, Folder::new())).collect();
    // All at the same time, since it takes long.
    let jobs = folders.iter().map(|(mpi, folder)| {
        let mut job = long_job(folder, *mpi, "--silence 1");
        let before = folder.contents();
        job.busy_ranks(2)[1].send(Signal::SIGSTOP);
        job.only_waits();
        (folder, before, job)
    });
    for (folder, before, job) in jobs.collect::<Vec<_>>() {
        let words = ["expected to hear from every rank, but rank 1 of 2 has been silent for 1", "its host may be gone"];
        folder.check_failure(&before, &job.finish(), 69, &words);
    }
}

#[test]
fn a_launcher_that_is_killed_leaves_no_rank() {
    for mpi in Mpi::present("launchers that are killed") {
        let folder = Folder::new();
        let job = long_job(&folder, mpi, "");
        let before = folder.contents();
        job.busy_ranks(2);
        let launcher = job.children();
        assert_eq!(launcher.len(), 1, "{launcher:?}");
        launcher[0].send(Signal::SIGKILL);
        let ended = format!("expected a result of the ranks, but {} ended with signal 9", mpi.mpirun());
        folder.check_failure(&before, &job.finish(), 69, &[&ended]);
    }
}

/// A launcher that is asked to end, as by a queue whose time is over.
#[test]
fn a_launcher_that_is_asked_to_end_leaves_no_rank() {
    for mpi in Mpi::present("launchers that are asked to end") {
        let folder = Folder::new();
        let job = long_job(&folder, mpi, "");
        let before = folder.contents();
        job.busy_ranks(2);
        job.children()[0].send(Signal::SIGTERM);
        folder.check_failure(&before, &job.finish(), 69, &["expected a result of the ranks, but "]);
    }
}

#[test]
fn an_executable_that_is_killed_or_interrupted_leaves_no_rank_and_no_launcher() {
    // Tests that run as a shell's background job come with SIGINT ignored, and would hand that down.
    // SAFETY: the default action runs no code of ours.
    unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }.unwrap();
    for mpi in Mpi::present("an executable that is killed") {
        for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
            let folder = Folder::new();
            let job = long_job(&folder, mpi, "");
            let before = folder.contents();
            job.busy_ranks(2);
            kill(Pid::from_raw(job.id() as i32), signal).unwrap();
            let output = job.finish();
            assert_eq!(output.status.signal(), Some(signal as i32));
            folder.check_unchanged(&before);
        }
    }
}

/// A script around a launcher is a launcher, too: what it starts goes with it.
#[test]
fn an_executable_that_is_killed_leaves_nothing_of_a_launcher_that_is_a_script() {
    for mpi in Mpi::present("launchers that are scripts") {
        let folder = Folder::new();
        folder.write_older_results();
        let before = folder.contents();
        let launcher = format!("sh -c '{} \"$0\" \"$@\"; exit $?'", mpi.as_installed(2));
        let args = format!("{} -o f --block 1", large().display());
        let job = folder.start(&mut folder.command("factor", &launcher, &args));
        job.busy_ranks(2);
        kill(Pid::from_raw(job.id() as i32), Signal::SIGKILL).unwrap();
        job.output();
        expect_gone(folder.path(), &[]);
        if mpi == Mpi::Mpich {
            // Its ranks are killed without warning, so the first of them cannot remove what it has begun.
            folder.remove_unfinished();
        }
        folder.check_unchanged(&before);
    }
}
