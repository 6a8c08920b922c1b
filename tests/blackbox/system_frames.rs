//! KEEP, SOLVE, CONDITION, DETERMINANT, INVERSE and RELEASE in every place, order and type, with the bits of the oracle and of the
//! library; what is kept, and for how long; and every mistake, after which the session goes on.

use recfact::nalgebra::DMatrix;
use recfact::{Accuracy, Element, Factored, Lu, Norm, Options, Refinement, Transpose, gesv_mixed, norm, refine};
use testing::frames::*;
use testing::{Float, Kind, Memfd, Random, instruction_sets, matrix};

use crate::modelled::Modelled;

const COMMANDS: [u8; 5] = [KEEP, SOLVE, CONDITION, DETERMINANT, INVERSE];

/// Bytes of a segment for each operand.
const SEGMENT_BYTES: usize = 48 << 10;

/// The handle in an answer.
fn handle(answer: &[u8]) -> u32 {
    u32::from_le_bytes(answer[32..36].try_into().unwrap())
}

fn rcond(answer: &[u8]) -> f64 {
    f64::from_le(&answer[40..48])
}

/// The results behind the fixed part of an answer.
fn results(answer: &[u8]) -> &[u8] {
    &answer[64..]
}

/// A server with a segment for each operand, whose bytes are not zero.
struct Case {
    session: Modelled,
    memory: [Memfd; 3],
}

impl Case {
    fn start(instruction_set: &str) -> Self {
        let mut session = Modelled::start_on(instruction_set);
        let memory = [0, 1, 2].map(|_| Memfd::new(SEGMENT_BYTES));
        for memory in &memory {
            session.map(memory, (0..SEGMENT_BYTES).map(|at| (at * 31 % 251) as u8).collect());
        }
        Case { session, memory }
    }

    /// One request, with operands in the payload or in segments, with padding.
    fn ask<T: Float>(&mut self, mut fixed: System, a: &[T], b: &[T], random: &mut Random) -> Vec<u8> {
        let size = size_of::<T>();
        let n = fixed.n as usize;
        let mut sent = Vec::new();
        for (at, elements) in [a, b].into_iter().enumerate() {
            if fixed.operands[at] == Operand::ABSENT {
                continue;
            }
            if random.below(2) == 0 {
                sent.extend_from_slice(elements);
                continue;
            }
            let run = if at == 1 && fixed.flags & X_ROW_MAJOR != 0 { fixed.nrhs as usize } else { n };
            let (ld, offset) = (run + random.below(4), size * random.below(5));
            fixed.operands[at] = Operand::in_segment(1 + at as u32, offset, ld);
            for (line, run) in elements.chunks_exact(run.max(1)).enumerate() {
                let bytes: Vec<u8> = run.iter().flat_map(|x| x.le_bytes()).collect();
                self.session.write(&self.memory[at], offset + line * ld * size, &bytes);
            }
        }
        if fixed.operands[2] != Operand::ABSENT {
            fixed.operands[2] = match random.below(3) {
                0 => Operand::PAYLOAD,
                1 if fixed.command == SOLVE => fixed.operands[1],
                _ => Operand::in_segment(3, 8 * random.below(3), n.max(fixed.nrhs as usize) + random.below(3)),
            };
        }
        if fixed.command == SOLVE && fixed.steps > 0 && random.below(2) == 0 {
            fixed.operands[3] = Operand::in_segment(3, SEGMENT_BYTES - 24 * fixed.nrhs as usize, 0);
        }
        let answer = self.session.ask(&fixed.frame(&sent));
        self.memory.iter().for_each(|memory| self.session.check_memory(memory));
        answer
    }
}

fn every_case<T: Element + Float>(case: &mut Case, single: u32, random: &mut Random) {
    for n in [0, 1, 2, 5, 8, 17, 33, 40] {
        for (round, nrhs) in [0, 1, 3, 17].into_iter().enumerate() {
            let kind = [Kind::Uniform, Kind::Ties, Kind::Uniform, Kind::DuplicateRows][round];
            let a: Vec<T> = matrix(kind, n, n, (n * 7 + round) as u64);
            let b: Vec<T> = matrix(Kind::Uniform, n, nrhs, 3);
            let chosen = |flag: u32, random: &mut Random| if random.below(2) == 0 { flag } else { 0 };
            for command in COMMANDS {
                let columns = if command == SOLVE { nrhs } else { 0 };
                let x_flags = if command == SOLVE || command == INVERSE { X_ROW_MAJOR } else { 0 };
                let own = [x_flags, [0, TRANSPOSED][usize::from(command == SOLVE)]];
                let own = |random: &mut Random| own.map(|flag| chosen(flag, random)).iter().sum::<u32>();
                let keep = if command == KEEP { 0 } else { chosen(KEEP_FACTORS, random) };
                let with_a = if command == KEEP || keep != 0 { KEEP_A } else { 0 };
                let flags = single | own(random) | chosen(ROW_MAJOR, random) | keep | with_a;
                let mut fixed = System::in_payload(command, flags, 0, n, columns);
                fixed.steps = if command == SOLVE { random.below(3) as u32 } else { 0 };
                let answer = case.ask(fixed, &a, if columns > 0 || command == SOLVE { &b } else { &[] }, random);
                let kept = handle(&answer);
                assert_eq!(kept != 0, command == KEEP || keep != 0);
                if kept == 0 {
                    continue;
                }
                for command in &COMMANDS[1..] {
                    let columns = if *command == SOLVE { nrhs } else { 0 };
                    let own = match *command {
                        SOLVE => chosen(X_ROW_MAJOR, random) | chosen(TRANSPOSED, random),
                        INVERSE => chosen(X_ROW_MAJOR, random),
                        CONDITION => chosen(INFINITY_NORM, random),
                        _ => 0,
                    };
                    let fixed = System::in_payload(*command, single | own, kept, n, columns);
                    case.ask(fixed, &[] as &[T], if *command == SOLVE { &b } else { &[] }, random);
                }
                assert_eq!(case.session.ask(&release(kept)).len(), 16);
            }
        }
    }
}

#[test]
fn every_command_place_order_and_type_gives_the_bits_of_the_oracle_and_changes_no_other_byte() {
    for name in instruction_sets() {
        let (mut case, mut random) = (Case::start(name), Random::new(5));
        every_case::<f64>(&mut case, 0, &mut random);
        every_case::<f32>(&mut case, SINGLE, &mut random);
        let stats = String::from_utf8(case.session.ask(&frame(STATS, &[]))[16..].to_vec()).unwrap();
        assert!(stats.contains("\nkept_factors=0\nkept_bytes=0\n"), "{stats}");
        case.session.finish();
    }
}

/// What the library says: 1-norm and infinity norm condition, then for either transpose X and its accuracy.
fn refined_by_the_library<T: Element + Float>(
    a: &DMatrix<T>,
    b: &DMatrix<T>,
    transpose: Transpose,
    steps: u32,
) -> Vec<u8> {
    let lu = Lu::new(a.clone(), &Options::default()).unwrap();
    let mut x = if transpose == Transpose::No { lu.solve(b) } else { lu.solve_transposed(b) }.unwrap();
    let mut accuracy = vec![Accuracy::UNKNOWN; b.ncols()];
    let factored = Factored { a: a.into(), lu: lu.packed().into(), ipiv: lu.ipiv() };
    let refinement = Refinement::new().max_steps(steps).bounds(true);
    refine(transpose, &factored, b, &mut x, &mut accuracy, &refinement, &Options::default()).unwrap();
    let mut bytes: Vec<u8> = x.iter().flat_map(|&x| x.le_bytes()).collect();
    for one in accuracy {
        bytes.extend(
            [one.backward.to_le_bytes(), one.forward.to_le_bytes(), u64::from(one.steps).to_le_bytes()].concat(),
        );
    }
    bytes
}

fn refined<T: Element + Float>(single: u32) {
    let mut session = Modelled::start();
    for (n, nrhs, kind) in
        [(1, 1, Kind::Uniform), (9, 20, Kind::Hilbert), (40, 3, Kind::Uniform), (60, 17, Kind::Graded)]
    {
        let (a, b): (Vec<T>, Vec<T>) = (matrix(kind, n, n, 4), matrix(Kind::Uniform, n, nrhs, 5));
        let (matrix_a, matrix_b) = (DMatrix::from_vec(n, n, a.clone()), DMatrix::from_vec(n, nrhs, b.clone()));
        let kept = session.ask(&System::in_payload(KEEP, single | KEEP_A, 0, n, 0).frame(&a));
        for (transpose, flag) in [(Transpose::No, 0), (Transpose::Yes, TRANSPOSED)] {
            for steps in [0, 1, 30] {
                let expected = refined_by_the_library(&matrix_a, &matrix_b, transpose, steps);
                for handle in [handle(&kept), 0] {
                    let mut fixed = System::in_payload(SOLVE, single | flag | BOUNDS, handle, n, nrhs);
                    fixed.steps = steps;
                    fixed.operands[3] = Operand::PAYLOAD;
                    let sent = if handle == 0 { [a.clone(), b.clone()].concat() } else { b.clone() };
                    assert_eq!(results(&session.ask(&fixed.frame(&sent))), expected, "n = {n} {transpose:?} {steps}");
                }
            }
        }
        let lu = Lu::new(matrix_a.clone(), &Options::default()).unwrap();
        for (of, flag) in [(Norm::One, 0), (Norm::Infinity, INFINITY_NORM)] {
            let expected = lu.rcond(of, norm(of, &matrix_a)).unwrap();
            for handle in [handle(&kept), 0] {
                let sent = if handle == 0 { &a[..] } else { &[] };
                let answer = session.ask(&System::in_payload(CONDITION, single | flag, handle, n, 0).frame(sent));
                assert_eq!(rcond(&answer).to_bits(), expected.to_bits());
            }
        }
    }
    session.finish();
}

#[test]
fn refined_solutions_their_accuracy_and_condition_numbers_are_those_of_the_library() {
    refined::<f64>(0);
    refined::<f32>(SINGLE);
}

#[test]
fn mixed_precision_is_that_of_the_library() {
    let mut session = Modelled::start();
    for (n, nrhs, kind) in [(1, 1, Kind::Uniform), (50, 3, Kind::Uniform), (12, 2, Kind::Hilbert)] {
        let (a, b): (Vec<f64>, Vec<f64>) = (matrix(kind, n, n, 4), matrix(Kind::Uniform, n, nrhs, 5));
        let (mut x, mut ipiv) = (DMatrix::zeros(n, nrhs), vec![0; n]);
        let matrix_b = DMatrix::from_vec(n, nrhs, b.clone());
        let mut matrix_a = DMatrix::from_vec(n, n, a.clone());
        let mixed = gesv_mixed(&mut matrix_a, &mut ipiv, &matrix_b, &mut x, &Options::default()).unwrap();
        let answer = session.ask(&System::in_payload(SOLVE, MIXED, 0, n, nrhs).frame(&[a, b].concat()));
        assert_eq!(results(&answer), x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        assert_eq!(answer[36..40], mixed.steps.map_or(-1, |steps| steps as i32).to_le_bytes());
        assert_eq!(answer[16..24], [0; 8]);
    }
    session.finish();
}

#[test]
fn a_matrix_that_is_singular_but_not_in_f32_leaves_b() {
    let a11: f64 = 1.0 + 1.5 * 2.0_f64.powi(-24);
    let a = [a11, 1.0, 1.0, 1.0 / a11];
    assert!(a[3] as f32 != 1.0 / a[0] as f32);
    let mut session = Modelled::start();
    let answer = session.ask(&System::in_payload(SOLVE, MIXED, 0, 2, 1).frame(&[&a[..], &[1.0, 0.0]].concat()));
    assert_eq!(answer[16..24], 2_i64.to_le_bytes());
    assert_eq!(results(&answer), [1.0_f64, 0.0].map(f64::to_le_bytes).concat());
    session.finish();
}

#[test]
fn a_handle_is_good_until_it_is_released_and_never_given_again() {
    let mut session = Modelled::start();
    let a: Vec<f64> = matrix(Kind::Uniform, 3, 3, 1);
    let keep = System::in_payload(KEEP, 0, 0, 3, 0).frame(&a);
    let solve = |handle: u32| System::in_payload(SOLVE, 0, handle, 3, 1).frame(&[1.0, 2.0, 3.0]);
    let first = handle(&session.ask(&keep));
    session.ask(&solve(first));
    let unknown = |handle: u32| format!("expected the handle of factors that are kept, got {handle}; KEEP them first");
    assert_eq!(session.refuses(&solve(first + 1), -11), unknown(first + 1));
    session.ask(&release(first));
    assert_eq!(session.refuses(&solve(first), -11), unknown(first));
    assert_eq!(session.refuses(&release(first), -11), unknown(first));
    assert_eq!(session.refuses(&release(0), -11), unknown(0));
    let second = handle(&session.ask(&keep));
    assert_ne!(first, second);
    session.ask(&solve(second));
    let other = "which are f64 of order 3, kept without A, so that solutions cannot be refined";
    let other = format!("expected a request that fits the factors {second}, {other}");
    let refined = System { steps: 1, ..System::in_payload(SOLVE, 0, second, 3, 1) };
    let wrong = [
        System::in_payload(SOLVE, SINGLE, second, 3, 1).frame(&[1.0_f32; 3]),
        System::in_payload(SOLVE, 0, second, 2, 1).frame(&[1.0; 2]),
        refined.frame(&[1.0; 3]),
        System::in_payload(DETERMINANT, 0, second, 4, 0).frame(&[] as &[f64]),
    ];
    for wrong in wrong {
        assert_eq!(session.refuses(&wrong, -11), other);
    }
    session.ask(&solve(second));
    session.finish();
}

#[test]
fn thousands_of_factors_are_kept_up_to_the_limit_and_no_further() {
    let each = (2 * 4 * 4 * 8 + 8 * 4 + 256) as u64;
    let mut session = Modelled::start_keeping(3000 * each + each - 1);
    let keep = |seed: u64| System::in_payload(KEEP, KEEP_A, 0, 4, 0).frame(&matrix::<f64>(Kind::Uniform, 4, 4, seed));
    let handles: Vec<u32> = (0..3000).map(|seed| handle(&session.ask(&keep(seed)))).collect();
    let full = format!(
        "expected factors of at most {} bytes together, got {each} beside {} that are kept; RELEASE some first; --keep-bytes sets the limit",
        3001 * each - 1,
        3000 * each,
    );
    assert_eq!(session.refuses(&keep(0), -12), full);
    let solve = |handle: u32| System::in_payload(SOLVE, 0, handle, 4, 1).frame(&[1.0, -1.0, 2.0, 0.5]);
    for (at, &one) in handles.iter().enumerate() {
        if at % 3 > 0 {
            session.ask(&release(one));
        }
    }
    for (at, &one) in handles.iter().enumerate() {
        if at % 3 > 0 {
            session.refuses(&solve(one), -11).len()
        } else {
            session.ask(&solve(one)).len()
        };
    }
    let again = handle(&session.ask(&keep(7)));
    assert!(again > *handles.last().unwrap());
    session.ask(&solve(again));
    // What is larger than the limit is never kept, and what was kept is still there.
    session
        .refuses(&System::in_payload(KEEP, KEEP_A, 0, 300, 0).frame(&matrix::<f64>(Kind::Uniform, 300, 300, 1)), -12);
    session.ask(&solve(handles[0]));
    session.finish();
}

#[test]
fn every_mistake_is_answered_by_name_and_costs_nothing_else() {
    let mut session = Modelled::start();
    let good = System::in_payload(SOLVE, 0, 0, 2, 1);
    let sent = [4.0, 6.0, 3.0, 3.0, 10.0, 12.0];
    let with = |change: fn(&mut System)| {
        let mut fixed = good;
        change(&mut fixed);
        fixed.frame(&sent)
    };
    let solution = session.ask(&good.frame(&sent));
    let cases: [(Vec<u8>, i64, &str); 13] = [
        (with(|f| f.flags = 0x8_0000), -6, "expected only defined bits in flags, got 0x80000 as well"),
        (with(|f| f.reserved = 1), -6, "expected only defined bits in bytes 36 to 39, got 0x1 as well"),
        (
            with(|f| f.flags = KEEP_A),
            -6,
            "expected only defined bits in flags of factors that are not kept, got 0x8000 as well",
        ),
        (
            with(|f| f.flags = MIXED | TRANSPOSED),
            -6,
            "expected only defined bits in flags beside that of mixed precision, got 0x1000 as well",
        ),
        (
            with(|f| (f.flags, f.steps) = (MIXED, 3)),
            -6,
            "expected steps to be 0 and the accuracy not to be wanted, in mixed precision, got 3",
        ),
        (with(|f| f.command = CONDITION), -6, "expected nrhs to be 0, since the command has no B, got 1"),
        (
            with(|f| (f.command, f.nrhs, f.handle) = (KEEP, 0, 3)),
            -6,
            "expected handle to be 0, since the command makes one, got 3",
        ),
        (
            with(|f| f.n = -1),
            -2,
            "expected count, m, n and nrhs of at least 0, with all operands below 2^63 bytes, got count = 1, m = -1, n = -1, nrhs = 1",
        ),
        (
            with(|f| f.nrhs = i64::MAX),
            -2,
            "expected count, m, n and nrhs of at least 0, with all operands below 2^63 bytes, got count = 1, m = 2, n = 2, nrhs = 9223372036854775807",
        ),
        (with(|f| f.operands[1] = Operand::ABSENT), -7, "B: expected place 1 (the payload) or 2 (a segment), got 0"),
        (with(|f| f.handle = 1), -7, "A: "),
        (with(|f| f.nrhs = 2), -6, "expected a payload of 232 bytes, got 216"),
        (with(|f| f.operands[2] = Operand::in_segment(7, 0, 2)), -8, "expected the number of a segment, got 7"),
    ];
    for (request, status, message) in cases {
        let said = session.refuses(&request, status);
        assert!(said == message || message.ends_with(": ") && said.starts_with(message), "{said}\n{message}");
        assert_eq!(session.ask(&good.frame(&sent)), solution);
    }
    session.refuses(&frame(RELEASE, &[1, 2]), -6);
    let nan = System::in_payload(KEEP, MUST_BE_FINITE, 0, 1, 0).frame(&[f64::NAN]);
    assert_eq!(session.refuses(&nan, -9), "expected a matrix of finite numbers, got a NaN or an infinity");
    session.ask(&frame(PING, b"still there"));
    session.finish();
}
