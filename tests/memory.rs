//! A process that may have no more memory.

use std::fs;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use recfact::{MatrixMut, Options, factor, release};

const N: usize = 1000;

fn factored(a: &mut [f64], ipiv: &mut [i64]) {
    (0..).zip(a.iter_mut()).for_each(|(at, x): (usize, _)| *x = ((at * 7919 % 10007) as f64).sin());
    assert_eq!(factor(MatrixMut::from_slice(a, N, N, N).unwrap(), ipiv, &Options::default()), Ok(0));
}

/// Memory that counts, in bytes.
fn used() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn refused_memory_costs_speed_and_nothing_else() {
    let (mut expected, mut swaps) = (vec![0.0; N * N], vec![0; N]);
    factored(&mut expected, &mut swaps);
    release();

    let (mut a, mut ipiv) = (vec![0.0; N * N], vec![0; N]);
    let (soft, hard) = getrlimit(Resource::RLIMIT_DATA).unwrap();
    // Panels packed by blocks take 1.5 MiB and more; the recursion takes a third of one.
    setrlimit(Resource::RLIMIT_DATA, used() + (600 << 10), hard).unwrap();
    let refused = Vec::<u8>::new().try_reserve_exact(1 << 20).is_err();
    factored(&mut a, &mut ipiv);
    setrlimit(Resource::RLIMIT_DATA, soft, hard).unwrap();
    assert!(refused, "the limit holds");
    assert!(a == expected && ipiv == swaps);
}
