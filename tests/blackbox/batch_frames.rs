//! The batches in every place, order and type, with the bits of the oracle and no byte beside the results; and every mistake,
//! after which the session goes on.

use recfact::{
    BatchMut, BatchRef, BatchSystem, Coefficients, Layout, Options, Solution, Swaps, Transpose, system_batch,
};
use testing::frames::*;
use testing::{Float, Kind, Memfd, Random, instruction_sets, matrix};

use crate::frames::mistakes;
use crate::modelled::Modelled;

const COMMANDS: [u8; 5] = [BATCH_FACTOR, BATCH_SOLVE, BATCH_GESV, BATCH_INVERSE, BATCH_DET];
/// Which bytes of a segment an operand may have: eight parts.
const PART_BYTES: usize = 24 << 10;

fn bytes<T: Float>(a: &[T]) -> Vec<u8> {
    a.iter().flat_map(|x| x.le_bytes()).collect()
}

fn defined_flags(command: u8) -> u32 {
    match command {
        BATCH_FACTOR => 0x2705,
        BATCH_SOLVE => 0x1f01,
        BATCH_GESV => 0x3f05,
        BATCH_INVERSE => 0x0b05,
        _ => 0x0305,
    }
}

/// Well-conditioned matrices by any order, some of them singular; rows of a solution for `ipiv`; numbers for B.
fn inputs<T: Float>(command: u8, flags: u32, [count, m, n, nrhs]: [usize; 4], random: &mut Random) -> [Vec<u8>; 3] {
    let kinds = [Kind::Uniform, Kind::Uniform, Kind::Ties, Kind::Uniform, Kind::Zero];
    let a: Vec<T> = (0..count).flat_map(|k| matrix::<T>(kinds[k % 5], m, n, k as u64 + 1)).collect();
    let b: Vec<T> = matrix(Kind::Uniform, n, nrhs * count, 3);
    let rows = (0..count * n).map(|at| (at % n + random.below(n - at % n)) as i64);
    let narrow = flags & NARROW_IPIV != 0;
    let row_bytes =
        |row: i64| if narrow { (row as i32).to_le_bytes().to_vec() } else { (row + 1).to_le_bytes().to_vec() };
    let ipiv = if command == BATCH_SOLVE { rows.flat_map(row_bytes).collect() } else { Vec::new() };
    [bytes(&a), ipiv, bytes(&b)]
}

/// A server with two segments whose bytes are not zero.
struct Case {
    session: Modelled,
    memory: [Memfd; 2],
}

impl Case {
    fn start(instruction_set: &str) -> Self {
        let mut session = Modelled::start_on(instruction_set);
        let memory = [0, 1].map(|_| Memfd::new(4 * PART_BYTES));
        for memory in &memory {
            session.map(memory, (0..4 * PART_BYTES).map(|at| (at * 31 % 251) as u8).collect());
        }
        Case { session, memory }
    }

    /// One request: of the operands that `in_segment` names in segments, the others in the payload.
    fn ask<T: Float>(&mut self, command: u8, flags: u32, sizes: [usize; 4], in_segment: u32, random: &mut Random) {
        let [count, m, n, nrhs] = sizes;
        let sent = inputs::<T>(command, flags, sizes, random);
        let mut fixed = Batch::in_payload(command, flags, sizes);
        let roles = BATCH_ROLES[usize::from(command - BATCH_FACTOR)];
        let columns = if command == BATCH_INVERSE { n } else { nrhs };
        let (mut payload, mut of_input) = (Vec::new(), sent.iter());
        for at in 0..8 {
            let [rows, columns] = if at < 2 { [m, n] } else { [n, columns] };
            let by_rows = flags & [ROW_MAJOR, LU_ROW_MAJOR, 0, X_ROW_MAJOR, X_ROW_MAJOR, 0, 0, 0][at] != 0;
            let (run, lines) = if by_rows { (columns, rows) } else { (rows, columns) };
            let (ld, start) = (run + random.below(3), 8 * random.below(9) + at / 2 * PART_BYTES);
            let distance = ld * lines + random.below(4);
            let input = if [0, 2, 3].contains(&at) { of_input.next() } else { None }.filter(|_| roles[at] == b'i');
            if roles[at] == b'.' || roles[at] == b'w' && random.below(3) == 0 {
                fixed.operands[at] = Operand::ABSENT;
            } else if in_segment & (1 << at) != 0 {
                let memory = at % 2;
                fixed.operands[at] = match at {
                    0 | 1 | 3 | 4 => Operand::of_batch(memory as u32 + 1, start, ld, distance),
                    _ => Operand::in_segment(memory as u32 + 1, start, 0),
                };
                let size = if at == 2 { 1 } else { size_of::<T>() };
                let (run, lines, ld, distance) =
                    if at == 2 { (input.map_or(0, Vec::len), 1, 0, 0) } else { (run, lines, ld, distance) };
                for (number, run_bytes) in
                    input.iter().flat_map(|input| input.chunks_exact((run * size).max(1))).enumerate()
                {
                    let place = start + (number / lines * distance + number % lines * ld) * size;
                    self.session.write(&self.memory[memory], place, run_bytes);
                }
            } else {
                payload.extend(input.into_iter().flatten());
            }
        }
        // A result in the place of its input.
        let same_order = (flags & ROW_MAJOR != 0) == (flags & LU_ROW_MAJOR != 0);
        for (result, input, may) in [(1, 0, same_order), (4, 3, true)] {
            if may && random.below(2) == 0 && roles[input] == b'i' && fixed.operands[result].place != 0 {
                fixed.operands[result] = fixed.operands[input];
            }
        }
        fixed.threads = 1 + (count % 2) as u32;
        self.session.ask(&fixed.frame(&payload));
        self.memory.iter().for_each(|memory| self.session.check_memory(memory));
    }
}

#[test]
fn every_mixture_of_places_orders_and_types_gives_the_bits_of_the_oracle_and_changes_no_other_byte() {
    for isa in instruction_sets() {
        let (mut case, mut random) = (Case::start(isa), Random::new(8));
        for round in 0..150 {
            for command in COMMANDS {
                let n = [1, 2, 3, 4, 5, 8, 9, 16, 17, 21][random.below(10)];
                let m = if command == BATCH_FACTOR { 1 + random.below(18) } else { n };
                let nrhs = if [BATCH_SOLVE, BATCH_GESV].contains(&command) { random.below(5) } else { 0 };
                let count = [1, 2, 5, 9, 17][random.below(if m.max(n) > 9 { 2 } else { 5 })];
                let finite = if round % 4 == 0 { 0 } else { MUST_BE_FINITE };
                let flags = random.below(0x4000) as u32 & defined_flags(command) & !finite;
                let in_segment = [0, 0xff, random.below(256) as u32][round % 3];
                match flags & SINGLE {
                    0 => case.ask::<f64>(command, flags, [count, m, n, nrhs], in_segment, &mut random),
                    _ => case.ask::<f32>(command, flags, [count, m, n, nrhs], in_segment, &mut random),
                }
            }
        }
        case.session.finish();
    }
}

#[test]
fn a_batch_has_the_bits_of_single_requests() {
    for isa in instruction_sets() {
        for (count, m, n) in [(37, 4, 4), (5, 30, 20), (9, 1, 7)] {
            let mut session = Modelled::start_on(isa);
            let a: Vec<f64> = matrix(Kind::Uniform, m, n * count, 4);
            let batch = session.ask(&Batch::in_payload(BATCH_FACTOR, 0, [count, m, n, 0]).frame(&bytes(&a)));
            let (one, k) = (m * n * 8, m.min(n) * 8);
            for (at, a) in a.chunks_exact(m * n).enumerate() {
                let single = session.ask(&Factor::in_payload(0, m, n).frame(a));
                let (lu, ipiv, info) = (32 + at * one, 32 + count * one + at * k, 32 + count * (one + k) + at * 8);
                assert_eq!(single[32..][..one], batch[lu..][..one], "{isa}: L and U of matrix {at}");
                assert_eq!(single[32 + one..], batch[ipiv..][..k], "{isa}: ipiv of matrix {at}");
                assert_eq!(single[16..24], batch[info..][..8], "{isa}: info of matrix {at}");
            }
            session.finish();
        }
    }
}

#[test]
fn rcond_has_the_bits_of_the_library() {
    let (count, n) = (21, 6);
    let a: Vec<f64> = matrix(Kind::Uniform, n, n * count, 4);
    let (mut x, mut rcond, mut info) = (vec![0.0; a.len()], vec![0.0; count], vec![0; count]);
    let inverse = BatchMut::from_slice(&mut x, count, [n, n], Layout::ColumnMajor).unwrap();
    let system = BatchSystem { transpose: Transpose::No, x: Solution::Inverse(inverse), rcond: Some(&mut rcond) };
    let view = BatchRef::from_slice(&a, count, [n, n], Layout::ColumnMajor).unwrap();
    system_batch(Coefficients::Kept(view), Swaps::Nowhere, system, &mut info, &Options::default()).unwrap();
    assert!(rcond.iter().all(|&rcond| rcond > 0.0 && rcond < 1.0));
    let mut session = Modelled::start();
    let answer = session.ask(&Batch::in_payload(BATCH_INVERSE, 0, [count, n, n, 0]).frame(&bytes(&a)));
    assert!(answer.ends_with(&[bytes(&x), vec![0; 8 * count], bytes(&rcond)].concat()));
    session.finish();
}

/// A request of three systems of order 2 with one right-hand side, with other numbers in its fields.
fn gesv(change: impl FnOnce(&mut Batch)) -> Vec<u8> {
    let mut fixed = Batch::in_payload(BATCH_GESV, 0, [3, 2, 2, 1]);
    let at = |part: usize, ld, distance| Operand::of_batch(1, part * 512, ld, distance);
    let vector = |part| at(part, 0, 0);
    fixed.operands =
        [at(0, 2, 4), at(1, 2, 4), vector(2), at(3, 2, 2), at(4, 2, 2), vector(5), vector(6), Operand::ABSENT];
    change(&mut fixed);
    fixed.frame(&[])
}

#[test]
fn sizes_that_no_batch_can_have_are_refused_by_name() {
    let sizes = |sizes: [i64; 4]| Batch { sizes, ..Batch::in_payload(BATCH_GESV, 0, [0; 4]) }.frame(&[]);
    let message = |[count, m, n, nrhs]: [i64; 4]| {
        format!(
            "expected count, m, n and nrhs of at least 0, with all operands below 2^63 bytes, got count = {count}, m = {m}, \
             n = {n}, nrhs = {nrhs}"
        )
    };
    let bad = [
        [-1, 2, 2, 1],
        [1, -2, -2, 1],
        [1, 2, 2, i64::MIN],
        [i64::MAX, 2, 2, 1],
        [1 << 61, 1, 1, 0],
        [1, 1 << 32, 1 << 32, 0],
        [0, 1 << 32, 1 << 32, 0],
        [1, 1, 1, 1 << 61],
        [0, 2, 2, 1 << 60],
        [i64::MAX, 0, 0, 0],
    ];
    let messages = bad.map(message);
    let cases: Vec<_> = bad.iter().zip(&messages).map(|(&bad, message)| (sizes(bad), -2, &message[..])).collect();
    mistakes(&cases);
    mistakes(&[
        (sizes([1, 2, 3, 1]), -2, "expected square matrices, got m = 2, n = 3"),
        (
            Batch { sizes: [1, 1 << 31, 0, 0], ..Batch::in_payload(BATCH_FACTOR, NARROW_IPIV, [0; 4]) }.frame(&[]),
            -2,
            "expected m below 2^31 for an ipiv of 32 bits, got m = 2147483648",
        ),
        (
            sizes([1000, 10, 10, 100]),
            -3,
            "expected operands of at most 1048576 bytes together, got 8896000 for count = 1000, m = 10, n = 10, nrhs = 100; \
             --max-bytes sets the limit",
        ),
        (
            Batch { sizes: [1, 1, 1, 1], ..Batch::in_payload(BATCH_DET, 0, [0; 4]) }.frame(&[]),
            -6,
            "expected nrhs to be 0, since the command has no B, got 1",
        ),
    ]);
}

#[test]
fn operands_that_a_batch_cannot_have_are_refused_by_name() {
    let case = |at: usize, operand: Operand| gesv(|fixed| fixed.operands[at] = operand);
    let at = |offset, ld, distance| Operand::of_batch(1, offset, ld, distance);
    let outside = |name: &str, offset: u64| {
        format!("{name}: expected all elements in the segment of 4096 bytes, got some outside from offset {offset}")
    };
    mistakes(&[
        (case(0, Operand::ABSENT), -7, "A: expected place 1 (the payload) or 2 (a segment), got 0"),
        (case(4, Operand::ABSENT), -7, "the place of X: expected place 1 (the payload) or 2 (a segment), got 0"),
        (case(5, Operand::ABSENT), -7, "the place of info: expected place 1 (the payload) or 2 (a segment), got 0"),
        (
            case(7, Operand::PAYLOAD),
            -7,
            "the place of det: expected place 0, since the command has no such operand, got another",
        ),
        (
            case(7, Operand { ld: 1, ..Operand::ABSENT }),
            -7,
            "the place of det: expected the leading dimension to be 0, got another number",
        ),
        (
            case(6, Operand { offset: 8, ..Operand::ABSENT }),
            -7,
            "the place of rcond: expected the offset to be 0, got another number",
        ),
        (
            case(0, Operand { distance: 4, ..Operand::PAYLOAD }),
            -7,
            "A: expected the last field to be 0, got another number",
        ),
        (case(5, at(2560, 0, 1)), -7, "the place of info: expected the last field to be 0, got another number"),
        (case(3, Operand { segment: 2, ..at(0, 2, 2) }), -8, "expected the number of a segment, got 2"),
        // Matrices that would overlap, or are not whole in the segment.
        (case(0, at(0, 2, 3)), -7, "A: expected matrices at least 4 elements apart, got a distance of 3"),
        (
            case(1, at(512, 3, 4)),
            -7,
            "the place of L and U: expected matrices at least 5 elements apart, got a distance of 4",
        ),
        (case(0, at(0, 1, 4)), -7, "A: expected a leading dimension of at least 2, got 1"),
        (case(0, at(4, 2, 4)), -7, "A: expected an offset that is a multiple of 8, got 4"),
        (case(5, at(2564, 0, 0)), -7, "the place of info: expected an offset that is a multiple of 8, got 2564"),
        (case(3, at(4096 - 40, 2, 2)), -7, &outside("B", 4056)),
        (case(0, at(0, 2, 255)), -7, &outside("A", 0)),
        (case(0, at(0, 2, 1 << 60)), -7, &outside("A", 0)),
        (case(0, at(0, 1 << 61, usize::MAX)), -7, &outside("A", 0)),
        (case(0, at(usize::MAX - 7, 2, 4)), -7, &outside("A", u64::MAX - 7)),
        (case(6, at(4096 - 16, 0, 0)), -7, &outside("the place of rcond", 4080)),
        // One byte of another operand.
        (case(1, at(88, 2, 4)), -7, "the place of L and U: expected memory of its own, got that of A"),
        (case(1, at(0, 2, 5)), -7, "the place of L and U: expected memory of its own, got that of A"),
        (case(4, at(0, 2, 2)), -7, "the place of X: expected memory of its own, got that of A"),
        (case(3, at(0, 2, 2)), -7, "B: expected memory of its own, got that of A"),
        (
            case(6, at(2560 + 16, 0, 0)),
            -7,
            "the place of rcond: expected memory of its own, got that of the place of info",
        ),
        (
            gesv(|fixed| (fixed.flags, fixed.operands[1]) = (LU_ROW_MAJOR, fixed.operands[0])),
            -7,
            "the place of L and U: expected the order of A in the place of A, got the other",
        ),
    ]);
}

#[test]
fn flags_and_lengths_that_a_batch_cannot_have_are_refused_by_name() {
    let payload = |command| Batch::in_payload(command, 0, [1, 2, 2, 0]);
    let mut cases = Vec::new();
    for command in COMMANDS {
        for flag in (0..32).map(|bit| 1_u32 << bit).filter(|flag| defined_flags(command) & flag == 0) {
            let message = format!("expected only defined bits in flags, got {flag:#x} as well");
            cases.push((Batch { flags: flag, ..payload(command) }.frame(&[0; 32]), -6, message));
        }
        cases.push((frame(command, &[0; 303]), -6, "expected a payload of 304 bytes, got 303".into()));
    }
    let cases: Vec<_> =
        cases.iter().map(|(request, status, message)| (request.clone(), *status, &message[..])).collect();
    mistakes(&cases);
    mistakes(&[
        (gesv(|fixed| fixed.reserved = 9), -6, "expected only defined bits in bytes 44 to 47, got 0x9 as well"),
        (payload(BATCH_DET).frame(&[0; 31]), -6, "expected a payload of 336 bytes, got 335"),
        (payload(BATCH_DET).frame(&[0; 33]), -6, "expected a payload of 336 bytes, got 337"),
    ]);
}

#[test]
fn row_swaps_outside_of_the_matrix_and_numbers_that_are_not_finite_are_refused_and_nothing_is_written() {
    let mut session = Modelled::start();
    let memory = Memfd::new(4096);
    session.map(&memory, (0..4096).map(|at| (at % 251) as u8).collect());
    let [a, b] = [[1.0, 0.5, 0.5, 1.0, 2.0, 0.0, 0.0, 2.0], [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0]];
    for (flags, good, bad) in [(0, 1, 0), (0, 2, 3), (0, 1, i64::MIN), (NARROW_IPIV, 0, -1), (NARROW_IPIV, 1, 2)] {
        for (wrong, at) in [(false, 0), (true, 0), (true, 3)] {
            let rows: Vec<i64> = (0..4).map(|k| if wrong && k == at { bad } else { good }).collect();
            let narrow =
                |row: &i64| if flags == 0 { row.to_le_bytes().to_vec() } else { (*row as i32).to_le_bytes().to_vec() };
            let swaps: Vec<u8> = rows.iter().flat_map(narrow).collect();
            for in_segment in [false, true] {
                let mut fixed = Batch::in_payload(BATCH_SOLVE, flags, [2, 2, 2, 1]);
                fixed.operands[4] = Operand::of_batch(1, 1024, 2, 2);
                session.write(&memory, 512, &swaps);
                let sent = if in_segment { &[][..] } else { &swaps };
                fixed.operands[2] = if in_segment { Operand::in_segment(1, 512, 0) } else { Operand::PAYLOAD };
                let request = fixed.frame(&[&bytes(&a), sent, &bytes(&b[..4])].concat());
                if wrong {
                    let rows = if flags == 0 { "1..=2" } else { "0..=1" };
                    let message = format!("ipiv: expected swap {} to be a row in {rows}, got {bad}", at + 1);
                    assert_eq!(session.refuses(&request, -7), message);
                } else {
                    session.ask(&request);
                }
                session.check_memory(&memory);
            }
        }
    }
    for (at, x) in [(0, f64::NAN), (7, f64::INFINITY), (8, f64::NEG_INFINITY), (11, f64::NAN), (12, 1.0)] {
        let mut elements = [&a[..], &b[..4]].concat();
        elements.iter_mut().skip(at).take(1).for_each(|element| *element = x);
        let mut fixed = Batch::in_payload(BATCH_GESV, MUST_BE_FINITE, [2, 2, 2, 1]);
        fixed.operands[1] = Operand::of_batch(1, 2048, 2, 4);
        fixed.operands[4] = Operand::of_batch(1, 1024, 2, 2);
        let request = fixed.frame(&bytes(&elements));
        if at < 12 {
            let message = session.refuses(&request, -9);
            assert_eq!(message, "expected a matrix of finite numbers, got a NaN or an infinity");
        } else {
            session.ask(&request);
        }
        session.check_memory(&memory);
    }
    session.finish();
}

#[test]
fn empty_batches_of_any_sizes_are_legal() {
    let mut session = Modelled::start();
    session.map(&Memfd::new(64), vec![0; 64]);
    let most = 1_i64 << 40;
    for command in COMMANDS {
        for sizes in [[0, 0, 0, 0], [0, 1, 1, 0], [4, 0, 0, 0], [0, most, most, 0], [0, 1 << 20, 1 << 20, 0]] {
            for flags in [0, MUST_BE_FINITE | ROW_MAJOR] {
                session.ask(&Batch { sizes, ..Batch::in_payload(command, flags, [0; 4]) }.frame(&[]));
            }
        }
    }
    for sizes in [[1 << 62, 0, 0, 1 << 62], [1 << 62, 0, 0, 0], [0, 4, 4, 1 << 50]] {
        session.ask(&Batch::in_payload(BATCH_SOLVE, 0, sizes).frame(&[]));
    }
    session.ask(&Batch::in_payload(BATCH_FACTOR, 0, [3, 0, 1 << 62, 0]).frame(&[]));
    session.ask(&Batch::in_payload(BATCH_FACTOR, ROW_MAJOR, [3, 1 << 62, 0, 0]).frame(&[]));
    session.finish();
}
