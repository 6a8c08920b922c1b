//! Long requests for matrices in files: they say how far they are, and they can be cancelled.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, pipe};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::thread;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::Signal;
use testing::Memfd;
use testing::frames::Files;
use testing::npy::Npy;

use crate::folder::Folder;
use crate::machine::{Mpi, large, turn};
use crate::processes::{self, busy_ranks, eventually};
use crate::session::{Session, request};

/// A request that takes many seconds: in blocks of one row and one column.
fn long() -> Files {
    let mut files = Files::of(large().to_str().unwrap(), "", "f");
    files.fixed[3] = 1;
    files
}

/// A folder with a matrix that takes no time.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.save("a.npy", &Npy::of(true, &[2, 2], &[4.0, 6.0, 3.0, 3.0]));
    folder.write_older_results();
    folder
}

#[test]
fn a_request_that_is_cancelled_ends_its_ranks_and_the_session_goes_on() {
    for mpi in Mpi::present("cancelling FILES_FACTOR") {
        let folder = folder();
        let before = folder.contents();
        let mut session = Session::start(&folder, Some(&mpi.as_installed(2)));
        for _ in 0..2 {
            let turn = turn();
            session.send(&request(&long()));
            session.busy_ranks(2);
            session.signal(Signal::SIGUSR1);
            let (status, text) = session.receive();
            assert_eq!((status, &text[..]), (-5, &b"expected to finish, but the computation was cancelled"[..]));
            drop(turn);
            session.check_nothing_is_left();
            folder.check_unchanged(&before);
        }
        // Between requests the signal does nothing.
        session.signal(Signal::SIGUSR1);
        assert_eq!(session.computes(&Files::of("a.npy", "", "g")).info, 0);
        assert_eq!((session.count("requests_files"), session.count("requests_refused")), (1, 2));
        session.finish();
    }
}

/// While ranks are started, too, and if the launcher never starts any.
#[test]
fn a_launcher_that_never_starts_a_rank_can_be_cancelled() {
    let folder = folder();
    for launcher in ["sh -c 'exec sleep 1000'", "sh -c 'trap \"\" TERM; while :; do sleep 1; done'"] {
        let mut session = Session::start(&folder, Some(launcher));
        session.send(&request(&Files::of("a.npy", "", "g")));
        eventually("the launcher runs", || processes::of(folder.path()).len() >= 2);
        session.signal(Signal::SIGUSR1);
        assert_eq!(session.receive().0, -5);
        session.check_nothing_is_left();
        session.finish();
    }
}

#[test]
fn progress_rises_from_0_to_1_while_the_ranks_compute() {
    for mpi in Mpi::present("progress of FILES_FACTOR") {
        let folder = folder();
        let (reader, writer) = pipe().unwrap();
        // The server inherits the descriptor.
        fcntl(&writer, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        let descriptor = writer.as_raw_fd().to_string();
        // Nothing is said of a request that takes less than half a second: the ranks wait for the first line.
        let wait = "until rm go 2>/dev/null; do sleep 0.1; done";
        let launcher = format!("sh -c '{wait}; exec {} \"$@\"' sh", mpi.ranks(2));
        let mut session = Session::spawn(
            &folder,
            folder.executable(&["serve", "--launcher", &launcher, "--progress-fd", &descriptor]),
        );
        drop(writer);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            BufReader::new(reader).lines().for_each(|line| heard.lock().unwrap().push(line.unwrap()));
        });
        let told = |request: &str| -> Vec<f64> {
            let lines = lines.lock().unwrap();
            let done = lines.iter().filter_map(|line| line.strip_prefix("progress ")?.strip_prefix(request));
            done.map(|done| done.parse().expect("a number")).collect()
        };
        let start = |request: &str| {
            eventually("the first line says 0", || told(request).first() == Some(&0.0));
            fs::write(folder.path().join("go"), "").unwrap();
        };

        let turn = turn();
        session.send(&request(&long()));
        start("1 ");
        eventually("the ranks are in the middle", || told("1 ").iter().any(|done| (0.01..0.99).contains(done)));
        session.signal(Signal::SIGUSR1);
        assert_eq!(session.receive().0, -5);
        session.send(&request(&Files::of("a.npy", "", "g")));
        start("2 ");
        assert_eq!(session.receive().0, 0);
        drop(turn);
        eventually("the last line says 1", || told("2 ").last() == Some(&1.0));

        session.finish();
        reader.join().unwrap();
        let (cancelled, computed) = (told("1 "), told("2 "));
        for done in [&cancelled, &computed] {
            assert!(done.is_sorted(), "{done:?}");
        }
        assert!(cancelled.last().is_some_and(|&done| done < 1.0), "{cancelled:?}");
        assert_eq!(lines.lock().unwrap().len(), cancelled.len() + computed.len());
    }
}

/// One signal lets the request be answered; a second one ends the server at once, and the ranks with it.
#[test]
fn a_server_that_is_ended_twice_leaves_no_rank() {
    for mpi in Mpi::present("ending a server while ranks compute") {
        let folder = folder();
        let before = folder.contents();
        let mut session = Session::start(&folder, Some(&mpi.as_installed(2)));
        let turn = turn();
        session.send(&request(&long()));
        session.busy_ranks(2);
        session.signal(Signal::SIGTERM);
        thread::sleep(std::time::Duration::from_millis(300));
        session.busy_ranks(2);
        session.signal(Signal::SIGTERM);
        assert_eq!(session.wait().code(), Some(128 + 15));
        drop(turn);
        folder.check_unchanged(&before);
    }
}

/// A client that dies closes its pipes, and nobody wants the results any more.
#[test]
fn a_client_that_goes_away_ends_its_ranks() {
    for mpi in Mpi::present("clients that go away") {
        let folder = folder();
        let before = folder.contents();
        let (answers, output) = pipe().unwrap();
        let mut command = folder.executable(&["serve", "--launcher", &mpi.as_installed(2)]);
        let _turn = turn();
        let mut server = command.stdin(memory_of(&request(&long()))).stdout(output).spawn().unwrap();
        drop(command);
        busy_ranks(folder.path(), 2);
        drop(answers);
        eventually("the server ends", || server.try_wait().unwrap().is_some());
        assert_eq!(server.wait().unwrap().code(), Some(8));
        folder.check_nothing_is_left(&[]);
        folder.check_unchanged(&before);
    }
}

/// The end of stdin says that there is no other request, and the one that is there is answered.
#[test]
fn a_request_that_is_the_last_one_is_answered_all_the_same() {
    for mpi in Mpi::present("requests after which stdin ends") {
        let folder = folder();
        let mut command = folder.executable(&["serve", "--launcher", &mpi.ranks(2)]);
        let _turn = turn();
        let server = command.stdin(memory_of(&request(&Files::of("a.npy", "", "g")))).spawn().unwrap();
        let output = server.wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout.len() == 16 + 96 && output.stdout[..8] == [0; 8]);
        folder.check_nothing_is_left(&[]);
        assert_eq!(folder.load("g-ipiv.npy").integers(), [2, 2]);
    }
}

/// A file in memory with these bytes.
fn memory_of(bytes: &[u8]) -> File {
    let memory = Memfd::new(bytes.len());
    memory.write(0, bytes);
    memory.0
}
