//! FACTOR in every place, order and type: the bits of the oracle, which are those of version 1 and of the C library, and no
//! byte beside the results.

use std::process::{Command, Stdio};

use testing::frames::*;
use testing::process::succeed;
use testing::{Float, KINDS, Kind, Memfd, c_library, instruction_sets, matrix};

use crate::harness::*;
use crate::modelled::Modelled;

const SHAPES: [(usize, usize); 20] = [
    (0, 0),
    (0, 3),
    (3, 0),
    (1, 1),
    (1, 2),
    (2, 1),
    (1, 17),
    (17, 1),
    (2, 2),
    (3, 4),
    (8, 8),
    (9, 8),
    (8, 9),
    (16, 16),
    (17, 16),
    (33, 33),
    (70, 20),
    (20, 70),
    (5, 100),
    (67, 67),
];

/// Where the operands of a case are.
#[derive(Debug, Clone, Copy)]
enum Lu {
    Payload,
    Segment,
    /// A and the factors have the same place.
    OfA,
}

/// Bytes of a segment for each operand.
const SEGMENT_BYTES: usize = 96 << 10;

fn bytes<T: Float>(a: &[T]) -> Vec<u8> {
    a.iter().flat_map(|x| x.le_bytes()).collect()
}

/// The elements by rows.
fn by_rows<T: Float>(a: &[T], m: usize, n: usize) -> Vec<T> {
    (0..m).flat_map(|i| (0..n).map(move |j| a[i + j * m])).collect()
}

/// A server with two segments.
struct Case {
    session: Modelled,
    memory: [Memfd; 2],
}

impl Case {
    fn start(instruction_set: &str) -> Self {
        let mut session = Modelled::start_on(instruction_set);
        let memory = [0, 1].map(|_| Memfd::new(SEGMENT_BYTES));
        // What stands between the columns is not zero, and is to stay.
        for memory in &memory {
            session.map(memory, (0..SEGMENT_BYTES).map(|at| (at * 31 % 251) as u8).collect());
        }
        Case { session, memory }
    }

    /// Factors a matrix in these places, with columns, or rows, that are `padding` elements longer than need be.
    fn factor<T: Float>(
        &mut self,
        flags: u32,
        kind: Kind,
        (m, n): (usize, usize),
        padding: usize,
        places: (bool, Lu, bool),
    ) {
        let a: Vec<T> = matrix(kind, m, n, (m * 100 + n) as u64);
        let is_row_major = flags & ROW_MAJOR != 0;
        let (run, elements) = if is_row_major { (n, by_rows(&a, m, n)) } else { (m, a) };
        let size = size_of::<T>();
        let (a_in_segment, lu, ipiv_in_segment) = places;
        // A place for both has room for columns as well as for rows.
        let ld = if matches!(lu, Lu::OfA) { m.max(n) } else { run } + padding;
        let a = if a_in_segment { Operand::in_segment(1, 3 * size, ld) } else { Operand::PAYLOAD };
        let lu = match lu {
            Lu::Payload => Operand::PAYLOAD,
            Lu::Segment => Operand::in_segment(2, 5 * size, m + padding),
            Lu::OfA => a,
        };
        let ipiv = if ipiv_in_segment { Operand::in_segment(2, 80 << 10, 0) } else { Operand::PAYLOAD };
        if a_in_segment {
            for (at, run) in elements.chunks_exact(run.max(1)).enumerate() {
                self.session.write(&self.memory[0], (3 + at * ld) * size, &bytes(run));
            }
        }
        let sent = if a_in_segment { &[][..] } else { &elements };
        let fixed = Factor { operands: [a, lu, ipiv], threads: 1 + m as u32 % 2, ..Factor::in_payload(flags, m, n) };
        self.session.ask(&fixed.frame(sent));
        self.memory.iter().for_each(|memory| self.session.check_memory(memory));
    }
}

#[test]
fn every_place_order_and_type_gives_the_bits_of_the_oracle_and_changes_no_other_byte() {
    let places = [false, true].into_iter().flat_map(|a| [Lu::Payload, Lu::Segment, Lu::OfA].map(|lu| (a, lu)));
    let places: Vec<_> = places.flat_map(|(a, lu)| [false, true].map(|ipiv| (a, lu, ipiv))).collect();
    for isa in instruction_sets() {
        let mut case = Case::start(isa);
        for (bits, &place) in (0..16_u32).flat_map(|bits| places.iter().map(move |place| (bits, place))) {
            let bit = |number: u32, flag: u32| if bits & (1 << number) == 0 { 0 } else { flag };
            let flags = bit(0, SINGLE) | bit(1, NO_PIVOTING) | bit(2, ROW_MAJOR) | bit(3, NARROW_IPIV);
            for (at, shape) in SHAPES.into_iter().enumerate() {
                let (kind, padding) = (KINDS[(at + bits as usize) % KINDS.len()], at % 3);
                // A NaN may have any bits, so that it could not be said what they are as another type.
                let kind = if kind == Kind::NotFinite && shape.0 > 3 { Kind::Uniform } else { kind };
                match bits & 1 {
                    0 => case.factor::<f64>(flags, kind, shape, padding, place),
                    _ => case.factor::<f32>(flags, kind, shape, padding, place),
                }
            }
        }
        case.session.finish();
    }
}

/// Every kind of matrix in larger shapes, where blocks and threads come in.
#[test]
fn larger_matrices_of_every_kind_have_the_same_bits() {
    for isa in instruction_sets() {
        for kind in KINDS {
            let mut case = Case::start(isa);
            for (flags, shape) in [(0, (100, 90)), (ROW_MAJOR, (90, 100)), (ROW_MAJOR | NO_PIVOTING, (60, 110))] {
                case.factor::<f64>(flags, kind, shape, 3, (true, Lu::Segment, true));
                case.factor::<f64>(flags, kind, shape, 0, (true, Lu::OfA, false));
                case.factor::<f64>(flags, kind, shape, 0, (false, Lu::Payload, false));
            }
            case.session.finish();
        }
    }
}

/// The answers without their heads: the factors and the row swaps.
fn by_frames(isa: &str, flags: u32, m: usize, n: usize, elements: &[f64]) -> [Vec<u8>; 2] {
    let mut case = Case::start(isa);
    let fixed = Factor::in_payload(flags, m, n);
    let inline = case.session.ask(&fixed.frame(elements));
    case.session.write(&case.memory[0], 0, &bytes(elements));
    let operands = [Operand::in_segment(1, 0, m), Operand::in_segment(2, 0, m), Operand::in_segment(2, 80 << 10, 0)];
    let mapped = case.session.ask(&Factor { operands, ..fixed }.frame::<f64>(&[]));
    let info = mapped[16..24].to_vec();
    let [lu, ipiv] = [(0, m * n * 8), (80 << 10, m.min(n) * 8)].map(|(at, count)| case.memory[1].read(at, count));
    case.session.finish();
    [[&inline[16..24], &inline[32..]].concat(), [info, lu, ipiv].concat()]
}

#[test]
fn frames_mapped_memory_version_1_and_the_c_library_give_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("session");
    let library = c_library::folder(env!("CARGO_TARGET_TMPDIR")).join("librecfact.a");
    let mut compiler = Command::new("cc");
    compiler.current_dir(root()).args(["-std=c11", "-Iinclude", "tests/c/session.c", "-o"]).arg(&program).arg(library);
    succeed(compiler.args(["-lm", "-lpthread", "-ldl"]));
    for (isa, (m, n)) in
        instruction_sets().iter().flat_map(|isa| [(100, 90), (33, 120), (1, 5)].map(|shape| (isa, shape)))
    {
        let a: Vec<f64> = matrix(Kind::Uniform, m, n, 9);
        for (command, flags) in [(0, 0), (4, NO_PIVOTING)] {
            let request = request(command, m, n, &a);
            let version1 = session_on(isa, &[], &request);
            let mut c_library = Command::new(&program);
            c_library.env("RECFACT_ISA", isa).stdout(Stdio::piped());
            assert!(run(&mut c_library, &request).stdout == version1, "the C library, {m} x {n}, {isa}");
            let [inline, mapped] = by_frames(isa, flags, m, n, &a);
            assert!(inline == version1 && mapped == version1, "extended frames, {m} x {n}, {isa}");
        }
    }
}

#[test]
fn a_client_that_tells_its_cpu_is_told_that_of_the_server() {
    let mut session = Modelled::start();
    let a: Vec<f64> = matrix(Kind::Uniform, 40, 40, 1);
    // Also a number that is no CPU of this machine.
    for cpu in [0, 1, -1, i32::MAX, 5000, i32::MIN, 0] {
        let answer = session.ask(&Factor { cpu, ..Factor::in_payload(0, 40, 40) }.frame(&a));
        let told = i32::from_le_bytes(answer[24..28].try_into().unwrap());
        assert_eq!(told >= 0, cpu >= 0, "{cpu}: {told}");
    }
    session.finish();
}
