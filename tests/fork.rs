//! A process that forks: the child has the memory of the helper threads, but not the threads.

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, alarm, fork};
use recfact::{Isa, MatrixMut, Options, factor};
use testing::instruction_sets;

const N: usize = 200;

/// The factors by two threads, if there are two processors.
fn factored(isa: Isa) -> (Vec<f64>, Vec<i64>) {
    let mut a: Vec<f64> = (0..N * N).map(|at| ((at * 7919 % 10007) as f64).sin()).collect();
    let mut ipiv = vec![0; N];
    let view = MatrixMut::from_slice(&mut a, N, N, N).unwrap();
    factor(view, &mut ipiv, &Options::new().threads(2).isa(isa)).unwrap();
    (a, ipiv)
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
