//! A client that changes a matrix while it is factored. The result is garbage; the server goes on, its row swaps are rows of
//! the matrix, and it writes nowhere else.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use testing::frames::*;
use testing::{Memfd, Random, instruction_sets};

use crate::harness::*;

/// Bytes of the matrix's segment, and of that of the row swaps.
const MATRIX_BYTES: usize = 256 << 10;
const SWAP_BYTES: usize = 4096;

/// What is written over the matrix again and again: patterns that change what is the pivot, what is zero, what is a number.
fn patterns() -> Vec<Vec<u8>> {
    let numbers = [0.0, f64::NAN, f64::INFINITY, -1e300, 5e-324, 1.0];
    let mut patterns: Vec<Vec<u8>> = numbers.map(|x| x.to_le_bytes().repeat(512)).into();
    let mut random = Random::new(5);
    patterns.push((0..4096).map(|_| random.below(256) as u8).collect());
    patterns.push((0..512).flat_map(|_| random.unit().to_le_bytes()).collect());
    patterns
}

/// Writes until it is told to stop.
fn scribble(memory: &Memfd, seed: u64, stop: &AtomicBool) {
    let (patterns, mut random) = (patterns(), Random::new(seed));
    while !stop.load(Ordering::Relaxed) {
        let pattern = &patterns[random.below(patterns.len())];
        let bytes = 8 * (1 + random.below(512));
        memory.write(random.below((MATRIX_BYTES - bytes) / 8) * 8, &pattern[..bytes]);
    }
}

/// Has many matrices factored in a segment that is scribbled over meanwhile.
fn factor_garbage(command: &mut Command, requests: usize) {
    let mut server = Server::spawn(command);
    let (matrix, swaps) = (Memfd::new(MATRIX_BYTES), Memfd::new(SWAP_BYTES));
    for (memory, size) in [(&matrix, MATRIX_BYTES), (&swaps, SWAP_BYTES)] {
        let answer = server.ask_frame(&Map::of_this_process(memory.descriptor(), size as i64).frame());
        assert_eq!(answer[..8], [0; 8]);
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| scribble(&matrix, 1, &stop));
        let mut random = Random::new(2);
        for _ in 0..requests {
            ask_for_garbage(&mut server, &swaps, &mut random);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (status, stderr) = server.finish();
    assert!(status.success() && stderr.is_empty(), "{status} {stderr}");
}

/// One request of a random shape, order, type and place of the factors.
fn ask_for_garbage(server: &mut Server, swaps: &Memfd, random: &mut Random) {
    let flags = [SINGLE, NO_PIVOTING, ROW_MAJOR, MUST_BE_FINITE, NARROW_IPIV];
    let flags: u32 = flags.into_iter().filter(|_| random.below(3) == 0).sum();
    let largest = if random.below(8) == 0 { 120 } else { 20 };
    let (m, n) = (1 + random.below(largest), 1 + random.below(largest));
    let a = Operand::in_segment(1, 0, m.max(n));
    let lu = [a, Operand::in_segment(1, 128 << 10, m), Operand::PAYLOAD][random.below(3)];
    let (size, integer) = (if flags & SINGLE == 0 { 8 } else { 4 }, if flags & NARROW_IPIV == 0 { 8 } else { 4 });
    let ipiv = [Operand::PAYLOAD, Operand::in_segment(2, 64, 0)][random.below(2)];
    let ipiv_bytes = m.min(n) * integer;
    swaps.write(0, &[0xee; SWAP_BYTES]);
    let threads = 1 + random.below(2) as u32;
    let fixed = Factor { threads, operands: [a, lu, ipiv], ..Factor::in_payload(flags, m, n) };

    let answer = server.ask_frame(&fixed.frame::<f64>(&[]));
    let (status, payload) = (i64::from_le_bytes(answer[..8].try_into().unwrap()), &answer[16..]);
    if flags & MUST_BE_FINITE != 0 && status == -9 {
        return;
    }
    assert_eq!(status, 0, "{fixed:?}");
    let info = i64::from_le_bytes(payload[..8].try_into().unwrap());
    assert!(
        info.unsigned_abs() as usize <= m.min(n) && (info == 0 || (info < 0) == (flags & NO_PIVOTING != 0)),
        "{info}"
    );
    let lu_bytes = if lu == Operand::PAYLOAD { m * n * size } else { 0 };
    let in_segment = ipiv != Operand::PAYLOAD;
    assert_eq!(payload.len(), 16 + lu_bytes + if in_segment { 0 } else { ipiv_bytes });
    let memory = swaps.read(0, SWAP_BYTES);
    let ipiv = if in_segment { &memory[64..64 + ipiv_bytes] } else { &payload[16 + lu_bytes..] };
    for (i, swap) in ipiv.chunks_exact(integer).enumerate() {
        let row = match integer {
            8 => i64::from_le_bytes(swap.try_into().unwrap()) - 1,
            _ => i32::from_le_bytes(swap.try_into().unwrap()).into(),
        };
        assert!((i as i64..m as i64).contains(&row), "{fixed:?}: ipiv({i}) = {row}");
    }
    let written = if in_segment { 64..64 + ipiv_bytes } else { 0..0 };
    let others = memory.iter().enumerate().filter(|(at, _)| !written.contains(at));
    assert!(others.into_iter().all(|(_, &byte)| byte == 0xee), "{fixed:?}: a byte beside ipiv was written");
}

#[test]
fn a_matrix_that_changes_while_it_is_factored_gives_garbage_and_nothing_else() {
    for isa in instruction_sets() {
        factor_garbage(command(&["--threads", "2"]).env("RECFACT_ISA", isa), 6000);
    }
}

#[test]
fn a_matrix_that_changes_makes_no_access_outside_of_it() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("NOT TESTED, valgrind is not installed: memory that changes while it is factored");
        return;
    }
    // Valgrind's CPU has no AVX-512.
    for isa in instruction_sets().iter().filter(|isa| **isa != "avx512") {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=9"]).arg(executable()).env("RECFACT_ISA", isa);
        valgrind.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        factor_garbage(&mut valgrind, 150);
    }
}
