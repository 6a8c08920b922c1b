//! Answers to systems, for the target `response`.

use super::answers::{frame, greeting, integers, welcome};
use super::{ASKED, BATCH, CLOSED_STDIN, NO_PIVOTING, OPEN_STDOUT, PADDED, SINGLE, Seeds, bytes, named};

/// Commands of systems, as an input has them.
const KEEP: u8 = 0x80;
const SOLVE: u8 = 0x81;
const CONDITION: u8 = 0x82;
const DETERMINANT: u8 = 0x83;
const INVERSE: u8 = 0x84;

/// What is wanted, as an input has it.
const REFINED: u8 = 1 << 0;
const BOUNDS: u8 = 1 << 1;
const MIXED: u8 = 1 << 2;
const TRANSPOSED: u8 = 1 << 3;
const KEEP_A: u8 = 1 << 4;
const INFINITY_NORM: u8 = 1 << 5;

/// An input for a matrix of order 2, with one right-hand side.
fn system(flags: u8, command: u8, wanted: u8, stdout: &[u8]) -> Vec<u8> {
    [&[BATCH | flags, 0, 2, 0, command, 1, wanted], stdout].concat()
}

/// The answer to a system.
fn computed(info: i64, handle: u32, steps: i32, results: &[u8]) -> Vec<u8> {
    let (rcond, det) = (0.25_f64.to_le_bytes(), integers(&[0x3fe0_0000_0000_0000, 1]));
    let fixed = [&info.to_le_bytes()[..], &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], &handle.to_le_bytes()];
    frame(0, &[&fixed.concat()[..], &steps.to_le_bytes(), &rcond, &det, results].concat())
}

/// Answers to systems, in the payload and in mapped memory, which nobody writes.
pub fn system_answers() -> Seeds {
    let hello = welcome(8, 1 << 30);
    let after = |flags, command, wanted, answer: &[u8]| system(flags, command, wanted, &[&hello[..], answer].concat());
    let mapped = |flags, command, wanted, answer: &[u8]| {
        system(ASKED | flags, command, wanted, &[&greeting(9, 1 << 30)[..], answer].concat())
    };
    let x = bytes(&[1.0, 2.0]);
    let accuracy = |steps| [bytes(&[1e-16, f64::INFINITY]), integers(&[steps])].concat();
    let solved = computed(0, 0, -1, &x);
    let refined = |steps| computed(0, 0, -1, &[x.clone(), accuracy(steps)].concat());
    let (kept, inverse) = (computed(0, 1, -1, &[]), computed(0, 0, -1, &bytes(&[1.0, 2.0, 3.0, 4.0])));
    named([
        ("system-keep", after(PADDED, KEEP, KEEP_A, &kept)),
        ("system-keep-singular", after(0, KEEP, 0, &computed(2, u32::MAX, -1, &[]))),
        ("system-keep-no-handle", after(0, KEEP, 0, &computed(0, 0, -1, &[]))),
        ("system-keep-no-room", after(0, KEEP, 0, &frame(-12, b"no room"))),
        ("system-solve", after(PADDED, SOLVE, TRANSPOSED, &solved)),
        ("system-solve-f32", after(SINGLE, SOLVE, 0, &computed(0, 0, -1, &bytes(&[1.0_f32; 2])))),
        ("system-solve-handle", after(0, SOLVE, 0, &computed(0, 7, -1, &x))),
        ("system-solve-singular", after(PADDED, SOLVE, 0, &computed(1, 0, -1, &x))),
        ("system-solve-singular-cut", after(0, SOLVE, 0, &computed(1, 0, -1, &x)[..79])),
        ("system-solve-cut", after(PADDED, SOLVE, 0, &solved[..79])),
        ("system-solve-one-byte-more", after(0, SOLVE, 0, &[&solved[..], &[0]].concat())),
        ("system-refined", after(PADDED, SOLVE, REFINED | BOUNDS, &refined(2))),
        ("system-refined-singular", after(0, SOLVE, REFINED, &computed(2, 0, -1, &[0; 40]))),
        ("system-refined-too-many-steps", after(0, SOLVE, REFINED, &refined(1 << 32))),
        ("system-refined-open", after(OPEN_STDOUT, SOLVE, REFINED, &refined(0)[..90])),
        ("system-mixed", after(0, SOLVE, MIXED, &computed(0, 0, 3, &x))),
        ("system-mixed-f32", after(SINGLE, SOLVE, MIXED, &[])),
        ("system-mixed-not-asked", after(0, SOLVE, 0, &computed(0, 0, 3, &x))),
        ("system-condition", after(0, CONDITION, INFINITY_NORM, &computed(1, 0, -1, &[]))),
        ("system-determinant", after(SINGLE | PADDED, DETERMINANT, 0, &computed(0, 0, -1, &[]))),
        ("system-inverse", after(PADDED, INVERSE, 0, &inverse)),
        ("system-inverse-singular", after(PADDED, INVERSE, 0, &computed(1, 0, -1, &[0; 32]))),
        ("system-info-of-other-pivoting", after(NO_PIVOTING, SOLVE, 0, &computed(1, 0, -1, &x))),
        ("system-info-too-large", after(0, SOLVE, 0, &computed(3, 0, -1, &x))),
        ("system-payload-too-long", after(0, KEEP, 0, &computed(0, 1, -1, &x))),
        ("system-refused-then-more", after(0, SOLVE, 0, &[frame(-4, b"no"), vec![0]].concat())),
        ("system-no-systems", system(0, KEEP, 0, &[&welcome(7, 1 << 30)[..], &kept].concat())),
        ("system-version-1", system(0, KEEP, 0, &(i64::MIN + 1).to_le_bytes())),
        ("system-over-the-limit", system(0, SOLVE, 0, &welcome(8, 47))),
        ("system-at-the-limit", system(0, SOLVE, 0, &[&welcome(8, 48)[..], &solved].concat())),
        ("system-closed-stdin", after(CLOSED_STDIN, KEEP, 0, &[])),
        ("system-empty", [&[BATCH, 0, 0, 0, INVERSE, 0, 0], &hello[..], &computed(0, 0, -1, &[])].concat()),
        ("system-mapped-keep", mapped(PADDED, KEEP, 0, &kept)),
        ("system-mapped-solve", mapped(PADDED, SOLVE, REFINED | BOUNDS, &computed(0, 0, -1, &[]))),
        ("system-mapped-singular", mapped(0, SOLVE, REFINED, &computed(2, 0, -1, &[]))),
        ("system-mapped-inverse", mapped(PADDED, INVERSE, 0, &computed(0, 0, -1, &[]))),
        ("system-mapped-results", mapped(0, SOLVE, 0, &solved)),
        ("system-mapped-without-systems", system(ASKED, KEEP, 0, &[&greeting(7, 1 << 30)[..], &kept].concat())),
    ])
}
