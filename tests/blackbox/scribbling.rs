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
            ask_for_a_batch_of_garbage(&mut server, &swaps, &mut random);
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

/// A batch of a random shape, order and type, of which all matrices are in the segment.
fn ask_for_a_batch_of_garbage(server: &mut Server, swaps: &Memfd, random: &mut Random) {
    let command = [BATCH_FACTOR, BATCH_SOLVE, BATCH_GESV, BATCH_INVERSE, BATCH_DET][random.below(5)];
    let largest = if random.below(4) == 0 { 60 } else { 20 };
    let n = 1 + random.below(largest);
    let (count, has_b) = (1 + random.below(12), [BATCH_SOLVE, BATCH_GESV].contains(&command));
    let orders = [0, ROW_MAJOR | LU_ROW_MAJOR | X_ROW_MAJOR][random.below(2)];
    let defined = match command {
        BATCH_FACTOR => ROW_MAJOR | LU_ROW_MAJOR,
        BATCH_GESV => ROW_MAJOR | LU_ROW_MAJOR | X_ROW_MAJOR,
        BATCH_DET => ROW_MAJOR,
        _ => ROW_MAJOR | X_ROW_MAJOR,
    };
    let nrhs = if has_b { 1 + random.below(4) } else { 0 };
    let mut fixed = Batch::in_payload(command, orders & defined, [count, n, n, nrhs]);
    let roles = BATCH_ROLES[usize::from(command - BATCH_FACTOR)];
    let columns = if command == BATCH_INVERSE { n } else { nrhs };
    // 12 matrices of order 60 would have 346 KB: those that are large are few.
    fixed.sizes[0] = count.min((80 << 10) / (n * n * 8)) as i64;
    let ld = if orders == 0 { n } else { columns };
    let matrices = [Operand::of_batch(1, 0, n, n * n), Operand::of_batch(1, 80 << 10, ld, n * columns)];
    fixed.operands[0] = matrices[0];
    fixed.operands[1] = if roles[1] == b'.' { Operand::ABSENT } else { matrices[0] };
    for at in [3, 4].into_iter().filter(|&at| roles[at] != b'.') {
        fixed.operands[at] = matrices[1];
    }
    let count = fixed.sizes[0] as usize;
    let rows: Vec<u8> = (0..count * n).flat_map(|at| (1 + (at % n) as i64).to_le_bytes()).collect();
    swaps.write(0, &[0xee; SWAP_BYTES]);
    fixed.threads = 1 + random.below(2) as u32;
    let answer = server.ask_frame(&fixed.frame(if command == BATCH_SOLVE { &rows } else { &[] }));
    assert_eq!(answer[..8], [0; 8], "{fixed:?}: {}", String::from_utf8_lossy(&answer[16..]));
    assert!(swaps.read(0, SWAP_BYTES).iter().all(|&byte| byte == 0xee), "{fixed:?}: another segment was written");
    let results = &answer[32..];
    let (ipiv, info) = match command {
        BATCH_FACTOR | BATCH_GESV => results[..count * (n + 1) * 8].split_at(count * n * 8),
        BATCH_INVERSE => results[..count * 8].split_at(0),
        _ => return,
    };
    let numbers = |bytes: &[u8]| -> Vec<i64> {
        bytes.chunks_exact(8).map(|number| i64::from_le_bytes(number.try_into().unwrap())).collect()
    };
    for (at, row) in numbers(ipiv).into_iter().enumerate() {
        assert!(((at % n) as i64 + 1..=n as i64).contains(&row), "{fixed:?}: swap {at} is {row}");
    }
    assert!(numbers(info).iter().all(|info| (0..=n as i64).contains(info)), "{fixed:?}");
}

#[test]
fn a_matrix_that_changes_while_it_is_factored_gives_garbage_and_nothing_else() {
    for isa in instruction_sets() {
        factor_garbage(command(&["--threads", "2"]).env("RECFACT_ISA", isa), 4000);
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
