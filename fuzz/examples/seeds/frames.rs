//! Extended frames: sessions of them, and their layouts alone.

use testing::frames::*;
use testing::{Kind, matrix};

use super::{Seeds, named, request};

/// A new segment from a descriptor of the client. The target `session` puts its own process id for this one.
fn of_a_process(descriptor: i32, size: i64) -> Map {
    Map { flags: 0, process: 1234, ..Map::inherited(descriptor, size) }
}

/// Two segments of all the memory that a session of the fuzz target can map.
fn segments() -> Vec<u8> {
    [Map::inherited(0, 9000).frame(), of_a_process(1, 9000).frame()].concat()
}

/// A FACTOR without a matrix in the payload.
fn mapped(flags: u32, m: i64, n: i64, operands: [Operand; 3]) -> Vec<u8> {
    Factor { m, n, operands, ..Factor::in_payload(flags, 0, 0) }.frame::<f64>(&[])
}

/// Sessions of extended frames.
pub fn sessions() -> Seeds {
    let a: Vec<f64> = matrix(Kind::Uniform, 4, 3, 1);
    let single: Vec<f32> = a.iter().map(|&x| x as f32).collect();
    let square = Factor::in_payload(0, 4, 3).frame(&a);
    let place = |segment, offset| Operand::in_segment(segment, offset, 5);
    let in_place = [place(1, 0), place(1, 0), place(2, 8)];
    let mut seeds = named([
        ("hello", frame(HELLO, b"\x02\0\0\0client 1.0")),
        ("ping-and-stats", [frame(PING, b"ping"), frame(STATS, &[]), request(0, Kind::Ties, 2, 2)].concat()),
        ("ping-over-the-limit", frame(PING, &vec![0; (1 << 16) + 1])),
        ("frame-unknown", [frame(0x7f, &[1, 2]), frame(0xfe, &[]), square.clone()].concat()),
        ("frame-end-in-head", square[..8].to_vec()),
        ("frame-end-in-fixed-part", square[..100].to_vec()),
        ("frame-end-in-matrix", square[..200].to_vec()),
        ("frame-too-long", head(PING, 1 << 40).to_vec()),
        ("frame-negative-length", head(FACTOR, u64::MAX).to_vec()),
        ("factor-short", [frame(FACTOR, &[0; 127]), square.clone()].concat()),
        ("factor-f32", Factor::in_payload(SINGLE | NARROW_IPIV, 4, 3).frame(&single)),
        ("factor-rows", Factor::in_payload(ROW_MAJOR | MUST_BE_FINITE, 4, 3).frame(&a)),
        ("factor-not-finite", Factor::in_payload(MUST_BE_FINITE, 1, 2).frame(&[1.0, f64::NAN])),
        ("map-too-large", Map::inherited(0, 1 << 40).frame()),
        ("map-longer-than-the-file", Map::inherited(0, 9001).frame()),
        ("map-unsealed", Map::inherited(2, 1).frame()),
        ("map-closed", of_a_process(3, 1).frame()),
        ("map-seventeen", Map::inherited(0, 100).frame().repeat(17)),
        ("map-again", [segments(), Map { segment: 2, ..Map::inherited(0, 9) }.frame()].concat()),
        ("unmap-twice", [segments(), frame(UNMAP, &[1, 0, 0, 0]).repeat(2), frame(STATS, &[])].concat()),
        ("mapped-in-place", [segments(), mapped(0, 4, 3, in_place)].concat()),
        ("mapped-rows-in-place", [segments(), mapped(ROW_MAJOR, 4, 3, in_place)].concat()),
        ("mapped-rows", [segments(), mapped(ROW_MAJOR, 4, 3, [place(1, 0), place(2, 0), place(1, 4096)])].concat()),
        ("mapped-overlap", [segments(), mapped(0, 4, 3, [place(1, 0), place(1, 8), place(2, 0)])].concat()),
        ("mapped-outside", [segments(), mapped(0, 4, 3, [place(1, 8992), place(1, 0), place(2, 0)])].concat()),
        ("mapped-no-segment", [segments(), mapped(0, 4, 3, [place(3, 0), place(1, 0), place(2, 0)])].concat()),
    ]);
    seeds.extend(batches());
    seeds.extend(systems());
    // A loop over the columns of an empty matrix does not end.
    for (name, m, n) in [("columns", 0, i64::MAX), ("rows", i64::MAX, 0)] {
        for (layout, flags) in [("", 0), ("-by-rows", ROW_MAJOR | MUST_BE_FINITE)] {
            let places = [in_place, [Operand::PAYLOAD; 3], [place(1, 0), place(2, 0), Operand::PAYLOAD]];
            let requests: Vec<u8> = places.iter().flat_map(|&operands| mapped(flags, m, n, operands)).collect();
            seeds.push((format!("mapped-empty-longest-{name}{layout}"), [segments(), requests].concat()));
        }
    }
    seeds
}

/// Sessions of batches: two systems of order 2.
fn batches() -> Seeds {
    let numbers: Vec<u8> = [4.0, 6.0, 3.0, 3.0, 1.0, 2.0, 2.0, 4.0_f64].iter().flat_map(|x| x.to_le_bytes()).collect();
    let swaps: Vec<u8> = [2, 2, 1, 2_i64].iter().flat_map(|row| row.to_le_bytes()).collect();
    let b = &numbers[..32];
    let inline =
        |command, flags, nrhs, payload: &[u8]| Batch::in_payload(command, flags, [2, 2, 2, nrhs]).frame(payload);
    let at = |segment, offset, ld, distance| Operand::of_batch(segment, offset, ld, distance);
    let vector = |offset| Operand::in_segment(2, offset, 0);
    let places = [at(1, 0, 2, 4), at(1, 0, 2, 4), vector(0), at(1, 64, 3, 5), at(1, 64, 3, 5), vector(32), vector(48)];
    let mapped = |command, change: fn(&mut Batch)| {
        let mut fixed = Batch::in_payload(command, 0, [2, 2, 2, if command < BATCH_INVERSE { 1 } else { 0 }]);
        for (operand, place) in fixed.operands.iter_mut().zip(places).filter(|(operand, _)| operand.place == 1) {
            *operand = place;
        }
        fixed.sizes[3] *= i64::from(command != BATCH_FACTOR);
        change(&mut fixed);
        [segments(), fixed.frame(&[])].concat()
    };
    named([
        ("batch-factor", inline(BATCH_FACTOR, 0, 0, &numbers)),
        ("batch-factor-rows", inline(BATCH_FACTOR, ROW_MAJOR | LU_ROW_MAJOR | NARROW_IPIV, 0, &numbers)),
        ("batch-factor-orders", inline(BATCH_FACTOR, LU_ROW_MAJOR | NO_PIVOTING, 0, &numbers)),
        ("batch-solve", inline(BATCH_SOLVE, TRANSPOSED, 1, &[&numbers[..], &swaps, b].concat())),
        ("batch-solve-bad-row", inline(BATCH_SOLVE, 0, 1, &[&numbers[..], &[0; 32], b].concat())),
        ("batch-gesv", inline(BATCH_GESV, X_ROW_MAJOR, 1, &[&numbers[..], b].concat())),
        ("batch-inverse", inline(BATCH_INVERSE, SINGLE, 0, b)),
        ("batch-det", inline(BATCH_DET, MUST_BE_FINITE, 0, &numbers)),
        ("batch-short", frame(BATCH_DET, &[0; 303])),
        ("batch-overflow", Batch::in_payload(BATCH_DET, 0, [1 << 62, 1 << 31, 1 << 31, 0]).frame(&[])),
        ("batch-empty-longest", Batch::in_payload(BATCH_SOLVE, 0, [1 << 62, 0, 0, 1 << 62]).frame(&[])),
        ("batch-mapped-factor", mapped(BATCH_FACTOR, |_| {})),
        ("batch-mapped-gesv", mapped(BATCH_GESV, |_| {})),
        ("batch-mapped-overlap", mapped(BATCH_GESV, |fixed| fixed.operands[3].offset = 56)),
        ("batch-mapped-close", mapped(BATCH_FACTOR, |fixed| fixed.operands[0].distance = 3)),
        ("batch-mapped-outside", mapped(BATCH_DET, |fixed| fixed.operands[0].distance = 1120)),
        ("batch-mapped-orders", mapped(BATCH_FACTOR, |fixed| fixed.flags = ROW_MAJOR)),
    ])
}

/// Layouts of batches, behind the number of the layout and the last digit of the command.
fn batch_layouts() -> Seeds {
    let layout = |fixed: Batch| [&[6, fixed.command - BATCH_FACTOR][..], &fixed.to_bytes()].concat();
    let good = |command| Batch::in_payload(command, 0, [3, 2, 2, 0]);
    let gesv = Batch { sizes: [3, 2, 2, 1], ..good(BATCH_GESV) };
    let first = |operand| {
        let mut fixed = gesv;
        fixed.operands[0] = operand;
        layout(fixed)
    };
    named([
        ("batch-factor", layout(good(BATCH_FACTOR))),
        ("batch-solve", layout(good(BATCH_SOLVE))),
        ("batch-gesv", layout(gesv)),
        ("batch-inverse", layout(good(BATCH_INVERSE))),
        ("batch-det", layout(good(BATCH_DET))),
        ("batch-every-flag", layout(Batch { flags: 0x3f05, ..gesv })),
        ("batch-undefined-flag", layout(Batch { flags: TRANSPOSED, ..good(BATCH_INVERSE) })),
        ("batch-reserved", layout(Batch { reserved: 1, ..gesv })),
        ("batch-negative", layout(Batch { sizes: [-1, 2, 2, 1], ..gesv })),
        ("batch-nrhs", layout(Batch { sizes: [1, 2, 2, 1], ..good(BATCH_DET) })),
        ("batch-not-square", layout(Batch { sizes: [1, 2, 3, 1], ..gesv })),
        ("batch-overflow", layout(Batch { sizes: [1 << 60, 1, 1, 0], ..gesv })),
        ("batch-overflow-of-one", layout(Batch { sizes: [0, 2, 2, 1 << 59], ..gesv })),
        ("batch-at-the-limit", [layout(good(BATCH_DET)), 144_u64.to_le_bytes().to_vec()].concat()),
        ("batch-over-the-limit", [layout(good(BATCH_DET)), 143_u64.to_le_bytes().to_vec()].concat()),
        ("batch-absent", first(Operand::ABSENT)),
        ("batch-absent-with-offset", first(Operand { offset: 8, ..Operand::ABSENT })),
        ("batch-mapped", first(Operand::of_batch(1, 8, 2, 4))),
        ("batch-payload-distance", first(Operand { distance: 4, ..Operand::PAYLOAD })),
    ])
}

/// Layouts of extended frames, behind the number of the layout.
pub fn layouts() -> Seeds {
    let factor = |fixed: Factor| [&[0][..], &fixed.to_bytes()].concat();
    let good = Factor::in_payload(0, 4, 3);
    let at = |offset| Operand::in_segment(1, offset, 4);
    let mapped = Factor { operands: [at(0), at(96), at(192)], cpu: 1, ..good };
    let map = |map: Map| [&[1][..], &map.to_bytes()].concat();
    let extent = |operand: Operand, sizes: [u64; 3]| {
        [&[2][..], &operand.to_bytes(), &sizes.map(u64::to_le_bytes).concat()].concat()
    };
    let matrices = |operand: Operand, bytes: u64, count: u64| {
        [extent(operand, [4, 3, bytes]), count.to_le_bytes().to_vec()].concat()
    };
    let numbered = |number: u8, bytes: &[u8]| [&[number], bytes].concat();
    let limited = |command, length, limit: u64| [&[5][..], &head(command, length), &limit.to_le_bytes()].concat();
    let mut seeds = named([
        ("factor", factor(good)),
        ("factor-mapped", factor(mapped)),
        ("factor-every-flag", factor(Factor { flags: 0x705, ..mapped })),
        ("factor-undefined-flag", factor(Factor { flags: 2, ..good })),
        ("factor-reserved", factor(Factor { reserved: 1, ..good })),
        ("factor-negative", factor(Factor { m: -1, ..good })),
        ("factor-overflow", factor(Factor { m: 1 << 32, n: 1 << 32, ..good })),
        ("factor-over-the-limit", [factor(good), 95_u64.to_le_bytes().to_vec()].concat()),
        ("factor-at-the-limit", [factor(good), 96_u64.to_le_bytes().to_vec()].concat()),
        ("factor-narrow-overflow", factor(Factor { flags: NARROW_IPIV, m: 1 << 31, n: 0, ..good })),
        ("factor-cpu", factor(Factor { cpu: i32::MIN, ..good })),
        ("factor-no-place", factor(Factor { operands: [Operand { place: 0, ..at(0) }; 3], ..good })),
        ("factor-payload-offset", factor(Factor { operands: [Operand { place: 1, ..at(8) }; 3], ..good })),
        ("map", map(Map::inherited(3, 4096))),
        ("map-process", map(of_a_process(3, 4096))),
        ("map-again", map(Map { segment: 2, ..Map::inherited(3, 4096) })),
        ("map-both", map(Map { process: 1, ..Map::inherited(3, 4096) })),
        ("map-undefined-flag", map(Map { flags: 2, ..Map::inherited(3, 4096) })),
        ("map-negative", map(Map::inherited(-1, 4096))),
        ("map-no-size", map(Map::inherited(3, 0))),
        ("extent", extent(at(0), [4, 3, 96])),
        ("extent-outside", extent(at(8), [4, 3, 96])),
        ("extent-overflow", extent(Operand { offset: -8, ld: -1, ..at(0) }, [4, 3, 96])),
        ("extent-empty", extent(Operand { offset: -1, ..at(0) }, [0, u64::MAX, 0])),
        ("extent-reserved", extent(Operand { distance: 1, ..at(0) }, [4, 3, 96])),
        ("welcome", numbered(3, b"RECFACT\0\x02\0\0\0\x03\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f\x04\0\0\0")),
        ("welcome-of-another", numbered(3, &[1; 32])),
        ("factored", numbered(4, &[0; 16])),
        ("factored-no-cpu", numbered(4, &[0xff; 16])),
        ("head", limited(PING, 100, 1000)),
        ("head-unknown", limited(0x7f, 1 << 30, 0)),
        ("head-too-long", limited(PING, (1 << 30) + 1, 1000)),
        ("head-longest", limited(PING, u64::MAX, u64::MAX)),
        ("extent-of-matrices", matrices(Operand::of_batch(1, 0, 4, 12), 192, 2)),
        ("extent-of-matrices-close", matrices(Operand::of_batch(1, 0, 4, 11), 192, 2)),
        ("extent-of-matrices-outside", matrices(Operand::of_batch(1, 0, 4, 13), 192, 2)),
        ("extent-of-matrices-overflow", matrices(Operand { distance: -1, ..at(0) }, 192, 2)),
        ("extent-of-no-matrices", matrices(Operand { distance: -1, ..at(0) }, 192, 0)),
    ]);
    seeds.extend(batch_layouts());
    seeds.extend(system_layouts());
    seeds
}

/// Sessions of systems of order 2.
fn systems() -> Seeds {
    let (a, b) = ([4.0, 6.0, 3.0, 3.0], [2.0, 0.0]);
    let both = [&a[..], &b].concat();
    let keep = System::in_payload(KEEP, KEEP_A, 0, 2, 0).frame(&a);
    let solve = System::in_payload(SOLVE, 0, 0, 2, 1);
    let kept = |command, flags| System::in_payload(command, flags, 1, 2, 0).frame::<f64>(&[]);
    let refined = |handle| {
        let mut fixed = System { steps: 5, ..System::in_payload(SOLVE, BOUNDS | TRANSPOSED, handle, 2, 1) };
        fixed.operands[3] = Operand::PAYLOAD;
        fixed
    };
    let at = |segment, offset, ld| Operand::in_segment(segment, offset, ld);
    let mapped = System { operands: [at(1, 0, 2), at(1, 64, 3), at(1, 64, 3), at(2, 8, 0)], steps: 1, ..solve };
    named([
        (
            "system-keep",
            [keep.clone(), kept(CONDITION, INFINITY_NORM), kept(DETERMINANT, 0), kept(INVERSE, 0)].concat(),
        ),
        ("system-solve", solve.frame(&both)),
        ("system-solve-kept", [keep.clone(), System { handle: 1, ..refined(1) }.frame(&b), release(1)].concat()),
        ("system-refined", refined(0).frame(&both)),
        ("system-mixed", System { flags: MIXED, ..solve }.frame(&both)),
        ("system-mapped", [segments(), mapped.frame::<f64>(&[]), frame(STATS, &[])].concat()),
        ("system-rows", System { flags: ROW_MAJOR | X_ROW_MAJOR | KEEP_FACTORS, ..solve }.frame(&both)),
        ("system-no-handle", [keep.clone(), kept(DETERMINANT, SINGLE), release(2), release(1), release(1)].concat()),
        ("system-no-room", keep.repeat(40)),
        ("system-empty-longest", System { steps: 3, ..System::in_payload(SOLVE, 0, 0, 0, 1 << 62) }.frame::<f64>(&[])),
        ("system-singular", System::in_payload(INVERSE, 0, 0, 2, 0).frame(&[1.0; 4])),
        ("system-short", frame(SOLVE, &[0; 167])),
    ])
}

/// Layouts of systems, behind the number of the layout and the last digit of the command; an answer.
fn system_layouts() -> Seeds {
    let layout = |fixed: System| [&[7, fixed.command - KEEP][..], &fixed.to_bytes()].concat();
    let solve = System::in_payload(SOLVE, 0, 0, 2, 1);
    let mut accuracy = solve;
    accuracy.operands[3] = Operand::PAYLOAD;
    named([
        ("system-keep", layout(System::in_payload(KEEP, KEEP_A, 0, 2, 0))),
        ("system-solve", layout(solve)),
        ("system-solve-kept", layout(System::in_payload(SOLVE, BOUNDS, 7, 2, 1))),
        ("system-condition", layout(System::in_payload(CONDITION, INFINITY_NORM, 7, 2, 0))),
        ("system-determinant", layout(System::in_payload(DETERMINANT, 0, 0, 2, 0))),
        ("system-inverse", layout(System::in_payload(INVERSE, X_ROW_MAJOR, 7, 2, 0))),
        ("system-accuracy", layout(System { steps: u32::MAX, ..accuracy })),
        ("system-mixed", layout(System { flags: MIXED, ..solve })),
        ("system-mixed-kept", layout(System { flags: MIXED | KEEP_FACTORS, ..solve })),
        ("system-mixed-refined", layout(System { flags: MIXED, ..accuracy })),
        ("system-a-alone", layout(System { flags: KEEP_A, ..solve })),
        ("system-undefined-flag", layout(System { flags: MIXED, handle: 1, ..solve })),
        ("system-reserved", layout(System { reserved: 1, ..solve })),
        ("system-negative", layout(System { n: -1, ..solve })),
        ("system-overflow", layout(System { n: 1 << 31, ..solve })),
        ("system-overflow-of-accuracy", layout(System { n: 0, nrhs: i64::MAX, ..accuracy })),
        ("system-over-the-limit", [layout(solve), 63_u64.to_le_bytes().to_vec()].concat()),
        ("system-at-the-limit", [layout(solve), 64_u64.to_le_bytes().to_vec()].concat()),
        ("system-answer", [&[8][..], &[1; 48]].concat()),
    ])
}
