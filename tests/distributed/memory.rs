//! Matrices for which there is not enough memory: that is said before any is taken, and the ranks end as after any
//! other failure.

use std::fs;

use testing::npy::Npy;
use testing::{Kind, matrix};

use crate::folder::{Folder, said};
use crate::machine::{EXECUTABLE, Mpi};

/// Bytes of memory of this machine.
fn physical_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").expect("Linux has /proc");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).expect("it says how much there is");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Rows and columns of the system for which there is no memory on four ranks: as large as 2^31 elements on each of them
/// allow.
pub const TOO_LARGE: usize = 90_000;

/// Whether these sizes are too large for this machine: A, five times X and more, of 8 bytes.
pub fn is_too_large() -> bool {
    let needed = 6 * 8 * (TOO_LARGE * TOO_LARGE) as u64;
    let has_less = physical_memory() < needed;
    if !has_less {
        eprintln!("NOT TESTED, this machine has {needed} bytes of memory and more: systems that are too large for it");
    }
    has_less
}

#[test]
fn a_system_for_which_there_is_no_memory_is_refused_before_any_is_taken() {
    if !Mpi::Open.is_there("systems that are too large for the machine") || !is_too_large() {
        return;
    }
    let folder = Folder::new();
    folder.save_sparse("a.npy", "<f8", &[TOO_LARGE, TOO_LARGE]);
    let mut command = folder.command("solve", &Mpi::Open.ranks(4), "a.npy a.npy -o x.npy");
    let words = ["rank 0 of 4 on ", "bytes of memory for 4 ranks of this host, ", " each, got ", "; use more hosts"];
    folder.fails(&mut command, 4, &words);
}

/// ScaLAPACK counts with 32-bit integers, some of its functions with fewer, and rows of f4 as an f4.
#[test]
fn a_matrix_with_too_many_elements_on_a_rank_is_refused() {
    let folder = Folder::new();
    folder.save_sparse("large.npy", "<f4", &[100_000, 100_000]);
    folder.save_sparse("tall.npy", "<f4", &[1 << 31, 1]);
    folder.save_sparse("rows.npy", "<f4", &[(1 << 24) + 1, 1]);
    folder.save_sparse("wide.npy", "<f4", &[1, (1 << 31) + 5]);
    for mpi in Mpi::present("matrices with too many elements") {
        for (file, message) in [
            ("large.npy", "expected fewer than 2^31 elements on each rank, got 50"),
            ("tall.npy", "expected fewer than 10^8 rows and columns, got 2147483648"),
            ("wide.npy", "expected fewer than 10^8 rows and columns, got 2147483653"),
        ] {
            folder.fails(&mut folder.command("factor", &mpi.ranks(2), &format!("{file} -o f")), 69, &[message]);
        }
        let message = "expected at most 2^24 rows of f4, got 16777217; ScaLAPACK counts no more there, use f8";
        folder.fails(&mut folder.command("factor", &mpi.ranks(2), "rows.npy -o f"), 65, &[message]);
    }
}

/// The system refuses the memory of one rank only; the other one does not wait for it.
#[test]
fn memory_that_the_system_refuses_one_rank_ends_all_of_them() {
    let folder = Folder::new();
    folder.save_sparse("a.npy", "<f8", &[16_000, 16_000]);
    for mpi in Mpi::present("memory that the system refuses") {
        let limited =
            "sh -c 'case ${OMPI_COMM_WORLD_RANK-$PMI_RANK} in 1) ulimit -v 900000;; esac; exec \"$0\" \"$@\"'";
        let launcher = format!("{} {limited}", mpi.ranks(2));
        folder.fails(&mut folder.command("factor", &launcher, "a.npy -o f"), 4, &[" of 2 on ", " bytes of memory"]);
    }
}

/// A file system that is full says so while the result is written, or when it is closed. Nothing stays there.
#[test]
fn a_full_disk_ends_all_ranks() {
    let what = "a full disk";
    let folder = Folder::new();
    let n = 400;
    let a: Vec<f64> = matrix(Kind::Uniform, n, n, 1);
    folder.save("a.npy", &Npy::of(true, &[n, n], &a));
    fs::create_dir(folder.file("small")).unwrap();
    for mpi in Mpi::present(what) {
        // The file system is there for these processes alone, and goes with them.
        let script = "mount -t tmpfs -o size=500k tmpfs small || exit 99
            printf old > small/f-lu.npy
            \"$@\"
            status=$?
            ls -A small | tr '\\n' ' '
            cat small/f-lu.npy
            exit $status";
        let mut command = folder.program("sh");
        command.args(["-c", "exec unshare --mount sh -c \"$0\" sh \"$@\"", script, EXECUTABLE]);
        command.args(["factor", "--launcher", &mpi.ranks(2), "a.npy", "-o", "small/f"]);
        let output = folder.run(&mut command);
        let said = said(&output);
        if said.contains("unshare: ") || output.status.code() == Some(99) {
            eprintln!("NOT TESTED, no file system can be mounted here ({}): {what}", said.trim());
            return;
        }
        assert_eq!(output.status.code(), Some(65), "{said}");
        assert!(said.lines().count() == 1 && said.contains("small/f-lu.npy: No space left on device"), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "f-lu.npy old");
    }
}
