//! Ranks on two hosts, and what happens to a computation if one of the hosts dies or cannot be reached any more.

use testing::npy::Npy;
use testing::{Kind, matrix};

use crate::accuracy::Matrix;
use crate::folder::{Folder, Started};
use crate::machine::{Mpi, large, turn};
use crate::network::Hosts;
use crate::processes::{self, eventually};

const N: usize = 150;

#[test]
fn two_hosts_solve_a_system_together() {
    let what = "a system that two hosts solve";
    let (mpis, Some(hosts)) = (Mpi::present(what), Hosts::make(what)) else { return };
    let (a, b): (Vec<f64>, Vec<f64>) = (matrix(Kind::Uniform, N, N, 1), matrix(Kind::Uniform, N, 3, 2));
    for mpi in mpis {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(false, &[N, N], &a));
        folder.save("b.npy", &Npy::of(true, &[N, 3], &b));
        let said = folder.succeeds(&mut hosts.command(&folder, mpi, "solve", "a.npy b.npy -o x.npy --block 8"));
        assert!(said.contains("; 2 ranks as 1 x 2, blocks of 8; "), "{said}");
        let x = folder.load("x.npy").columns();
        let error = Matrix { n: N, elements: &a, is_transposed: false }.backward_error(&x, &b);
        assert!(error <= N as f64 * f64::EPSILON, "{error:e}");
    }
}

/// The second host sees another file of the same name, or none.
#[test]
fn a_file_that_the_hosts_do_not_share_is_named() {
    let what = "files that hosts do not share";
    let (mpis, Some(hosts)) = (Mpi::present(what), Hosts::make(what)) else { return };
    let a: Vec<f64> = matrix(Kind::Uniform, N, N, 1);
    for mpi in mpis {
        let folder = Folder::new();
        folder.save("a.npy", &Npy::of(false, &[N, N], &a));
        folder.save("other.npy", &Npy::of(true, &[N, N], &a));
        let [file, other] = ["a.npy", "other.npy"].map(|name| folder.file(name));
        hosts.on_second(&format!("mount --bind {} {}", other.display(), file.display()));
        let words = ["rank 1 of 2 on host-b: a.npy: expected the file that rank 0 has found, got another one"];
        folder.fails(&mut hosts.command(&folder, mpi, "factor", "a.npy -o f"), 65, &words);
        hosts.on_second(&format!("umount {}", file.display()));

        hosts.on_second(&format!("mount -t tmpfs tmpfs {}", folder.path().display()));
        let words = ["rank 1 of 2 on host-b: ", "a.npy: No such file or directory"];
        let args = format!("{} -o f", file.display());
        folder.fails(&mut hosts.command(&folder, mpi, "factor", &args), 65, &words);
        hosts.on_second(&format!("umount {}", folder.path().display()));
    }
}

/// A job on both hosts that takes many seconds.
fn long_job<'f>(hosts: &Hosts, folder: &'f Folder) -> Started<'f> {
    folder.write_older_results();
    let args = format!("{} -o f --block 1 --silence 1", large().display());
    folder.start(&mut hosts.command(folder, Mpi::Open, "factor", &args))
}

/// The launcher may notice it, or nobody but the one who has not heard of a rank for ten seconds.
#[test]
fn a_host_that_dies_is_an_error_and_the_ranks_of_the_other_host_end() {
    let what = "a host that dies";
    let (true, Some(hosts)) = (Mpi::Open.is_there(what), Hosts::make(what)) else { return };
    let folder = Folder::new();
    let mut job = long_job(&hosts, &folder);
    let before = folder.contents();
    job.busy_ranks(2);
    hosts.kill_second();
    job.only_waits();
    folder.check_failure(&before, &job.finish(), 69, &["expected "]);
}

/// The ranks of the host that cannot be reached do not end before that host does; those of the other one must.
#[test]
fn a_network_that_is_cut_is_an_error_that_names_the_silent_rank() {
    let what = "a network that is cut";
    let (true, Some(hosts)) = (Mpi::Open.is_there(what), Hosts::make(what)) else { return };
    let folder = Folder::new();
    let mut job = long_job(&hosts, &folder);
    let before = folder.contents();
    job.busy_ranks(2);
    hosts.cut_cable();
    job.only_waits();
    eventually("the job ends", || job.child().try_wait().unwrap().is_some());
    let is_left = |rank| processes::of(folder.path()).iter().any(|process| process.rank() == Some(rank));
    eventually("the rank of the host that is reached ends", || !is_left(0));
    hosts.kill_second();
    let words = ["expected to hear from every rank, but rank 1 of 2 has been silent for 1", "its host may be gone"];
    folder.check_failure(&before, &job.finish(), 69, &words);
}

/// The hosts are seen by nobody else, and nothing of them stays.
#[test]
fn the_hosts_of_these_tests_leave_nothing_behind() {
    let Some(hosts) = Hosts::make("what hosts of namespaces leave behind") else { return };
    let folder = hosts.folder().path().to_owned();
    let _turn = turn();
    assert!(!std::fs::read_to_string("/proc/net/dev").unwrap().contains("cable-"));
    // Each host has its first process and the one that holds it. (A process that begins another program has no variables.)
    eventually("both hosts run", || processes::of(&folder).len() == 4);
    drop(hosts);
    processes::expect_gone(&folder, &[]);
}
