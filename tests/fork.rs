//! A process that forks: the child has the memory of the helper threads, but not the threads.

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, alarm, fork};
use recfact::{BatchMut, Isa, Layout, MatrixMut, Options, factor, factor_batch};
use testing::instruction_sets;

const N: usize = 200;

/// The factors of one matrix, and those of a batch, by two threads, if there are two processors.
fn factored(isa: Isa) -> [(Vec<f64>, Vec<i64>); 2] {
    let options = Options::new().threads(2).isa(isa);
    let a = || (0..N * N).map(|at| ((at * 7919 % 10007) as f64).sin()).collect::<Vec<f64>>();
    let (mut one, mut ipiv) = (a(), vec![0; N]);
    factor(MatrixMut::from_slice(&mut one, N, N, N).unwrap(), &mut ipiv, &options).unwrap();
    // Matrices of order 8, which are enough work for two.
    let count = N * N / 64;
    let (mut batch, mut ipivs, mut info) = (a().repeat(8), vec![0; 64 * count], vec![0; 8 * count]);
    let view = BatchMut::from_slice(&mut batch, 8 * count, [8, 8], Layout::RowMajor).unwrap();
    factor_batch(view, &mut ipivs[..], &mut info, &options).unwrap();
    [(one, ipiv), (batch, ipivs)]
}

#[test]
fn a_child_factors_with_helpers_of_its_own() {
    let available = Isa::available();
    assert_eq!(available.iter().map(|isa| isa.name()).collect::<Vec<_>>(), instruction_sets());
    let expected = factored(Isa::Portable);
    let all_equal = || available.iter().all(|&isa| factored(isa) == expected);
    assert!(all_equal());
    // SAFETY: no other thread of this program is at work: the test harness waits, the helper sleeps or spins.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            // A wait for a thread that is not there would never end.
            alarm::set(20);
            let same = all_equal() && all_equal();
            let several = std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
            let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
            let same = same && threads == if several { 2 } else { 1 };
            // SAFETY: ends the child without the harness's work at exit.
            unsafe { nix::libc::_exit(if same { 0 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
            assert!(all_equal());
        }
    }
}
