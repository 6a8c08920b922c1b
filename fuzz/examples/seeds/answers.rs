//! Answers to HELLO, MAP, FACTOR and batches, for the target `response`.

use super::{
    ASKED, BATCH, CLOSED_STDIN, FULL_STDIN, NO_PIVOTING, OPEN_STDOUT, PADDED, SINGLE, Seeds, answer, answer_with, ask,
    bytes, named,
};
use testing::Kind;

/// An answer to an extended frame.
pub(super) fn frame(status: i64, payload: &[u8]) -> Vec<u8> {
    [&status.to_le_bytes()[..], &payload.len().to_le_bytes(), payload].concat()
}

/// The answers to HELLO, with these features and this limit, and to MAP.
pub(super) fn greeting(features: u8, max_bytes: u64) -> Vec<u8> {
    let welcome =
        [&b"RECFACT\0\x02\0\0\0"[..], &[features, 0, 0, 0, 0, 0, 0, 0], &max_bytes.to_le_bytes(), &[1, 0, 0, 0]];
    [frame(0, &[&welcome.concat()[..], b"version=9\n"].concat()), frame(0, &[1, 0, 0, 0])].concat()
}

/// The answer to FACTOR.
fn factored(info: i64) -> Vec<u8> {
    frame(0, &[info.to_le_bytes(), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]].concat())
}

/// What follows a good greeting. Without elements the row swaps in the memory, which nobody writes, are right.
pub fn factor_answers() -> Seeds {
    let after = |m: u8, flags: u8, rest: &[u8]| {
        answer_with(ASKED | flags, m, 2, b"", &[greeting(3, 1 << 30), rest.to_vec()].concat())
    };
    named([
        ("mapped-empty", after(0, 0, &factored(0))),
        ("mapped-empty-open", after(0, OPEN_STDOUT, &factored(0))),
        ("mapped-ipiv-zero", after(2, PADDED, &factored(0))),
        ("mapped-ipiv-zero-f32", after(9, SINGLE, &factored(0))),
        ("mapped-info-too-large", after(2, 0, &factored(3))),
        ("mapped-info-of-other-pivoting", after(2, NO_PIVOTING, &factored(1))),
        ("mapped-refused", after(2, 0, &frame(-4, b"expected memory"))),
        ("mapped-refused-in-short", after(2, 0, &frame(-4, b""))),
        ("mapped-refused-at-length", after(2, 0, &frame(-4, &[b'x'; 500]))),
        ("mapped-refused-not-utf8", after(2, 0, &frame(-255, b"\xff\xfe"))),
        ("mapped-refused-then-more", after(2, 0, &[frame(-4, b"no"), vec![0]].concat())),
        ("mapped-refused-at-length-then-more", after(2, 0, &[frame(-4, &[b'x'; 20]), vec![0]].concat())),
        ("mapped-status-256", after(2, 0, &frame(-256, b""))),
        ("mapped-status-positive", after(2, 0, &frame(1, &[0; 16]))),
        ("mapped-too-short", after(2, 0, &frame(0, &[0; 15]))),
        ("mapped-too-long", after(2, 0, &frame(0, &[0; 17]))),
        ("mapped-one-byte-short", after(0, 0, &factored(0)[..31])),
        ("mapped-silent", after(2, OPEN_STDOUT, b"")),
    ])
}

/// What a server says to HELLO and MAP that makes a client use version 1 frames, or give up.
pub fn greetings() -> Seeds {
    let good = greeting(3, 1 << 30);
    let with = |first: Vec<u8>, second: Vec<u8>| [first, second].concat();
    let (hello, map) = good.split_at(16 + 42);
    let version1 = answer::<f64>(Kind::Uniform, 2, 2, true);
    let not_mapped = with(hello.to_vec(), frame(-8, b"expected a memfd"));
    let length = |length: u64| [&0_i64.to_le_bytes()[..], &length.to_le_bytes(), &[0; 64]].concat();
    named([
        ("asked-version-1", ask(ASKED, &(i64::MIN + 1).to_le_bytes())),
        ("asked-refusal-2", ask(ASKED, &(i64::MIN + 2).to_le_bytes())),
        ("asked-not-mapped", ask(ASKED, &[&not_mapped[..], &version1].concat())),
        ("asked-not-mapped-refused", ask(ASKED, &[&not_mapped[..], &(i64::MIN + 3).to_le_bytes()].concat())),
        ("asked-hello-unknown", ask(ASKED, &[frame(-1, b"what?"), frame(-1, b""), version1.clone()].concat())),
        ("asked-no-factor", ask(ASKED, &[greeting(2, 1 << 30), version1].concat())),
        ("asked-over-the-limit", ask(ASKED, &greeting(3, 31))),
        ("asked-other-name", ask(ASKED, &with(frame(0, &[b'R'; 40]), map.to_vec()))),
        ("asked-welcome-too-short", ask(ASKED, &frame(0, b"RECFACT\0"))),
        ("asked-map-too-long", ask(ASKED, &with(hello.to_vec(), frame(0, &[1, 0, 0, 0, 0])))),
        ("asked-length-largest", ask(ASKED, &length(u64::MAX))),
        ("asked-length-just-too-large", ask(ASKED, &length(32 + (1 << 16) + 1))),
        ("asked-length-largest-text", ask(ASKED, &length(32 + (1 << 16)))),
        ("asked-silent", ask(ASKED, b"")),
        ("asked-half", ask(ASKED | OPEN_STDOUT, &good[..20])),
        ("asked-no-map", ask(ASKED, hello)),
        ("asked-closed-stdin", ask(ASKED | CLOSED_STDIN, &good)),
        ("asked-full-stdin", ask(ASKED | FULL_STDIN, &good)),
        ("asked-full-stdin-version-1", ask(ASKED | FULL_STDIN, &(i64::MIN + 1).to_le_bytes())),
    ])
}

/// Commands of batches, as an input has them.
const FACTOR: u8 = 0;
const SOLVE: u8 = 1;
const GESV: u8 = 2;
const INVERSE: u8 = 3;
const DET: u8 = 4;

/// Where factors and row swaps go. If no bit is set, they go to the place of A, and count from 1.
const COPIED: u8 = 1 << 4;
const KEPT: u8 = 2 << 4;
const ZERO_BASED: u8 = 1 << 6;
const NO_SWAPS: u8 = 2 << 6;
const ROW_MAJOR: u8 = 0b111;
const TRANSPOSED: u8 = 1 << 3;

/// An input for two matrices of order 2, with one right-hand side each.
fn batch(flags: u8, command: u8, wanted: u8, stdout: &[u8]) -> Vec<u8> {
    [&[BATCH | flags, 2, 2, 0, command, 0b110, wanted], stdout].concat()
}

/// The answer to HELLO of a server with these features and this limit.
pub(super) fn welcome(features: u8, max_bytes: u64) -> Vec<u8> {
    greeting(features, max_bytes)[..16 + 42].to_vec()
}

pub(super) fn integers(numbers: &[i64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The answer to a batch with this number of singular matrices.
fn computed(singular: i64, results: &[Vec<u8>]) -> Vec<u8> {
    frame(0, &[&singular.to_le_bytes()[..], &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], &results.concat()].concat())
}

/// Answers to batches whose matrices are in the payload.
pub fn batch_answers() -> Seeds {
    let hello = welcome(7, 1 << 30);
    let after =
        |flags, command, wanted, answer: Vec<u8>| batch(flags, command, wanted, &[&hello[..], &answer].concat());
    let matrices = bytes(&[6.0, 2.0 / 3.0, 3.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    let x = bytes(&[1.0, 2.0, 3.0, 4.0]);
    let factored = |singular, info: [i64; 2], ipiv: [i64; 4]| {
        computed(singular, &[matrices.clone(), integers(&ipiv), integers(&info)])
    };
    let narrow = |ipiv: [i32; 4]| {
        computed(0, &[matrices.clone(), ipiv.iter().flat_map(|row| row.to_le_bytes()).collect(), integers(&[0, 0])])
    };
    let good = factored(1, [0, 2], [2, 2, 1, 2]);
    let inverses = |singular, info: [i64; 2]| computed(singular, &[matrices.clone(), integers(&info)]);
    let solved = computed(0, std::slice::from_ref(&x));
    named([
        ("batch-factor", after(0, FACTOR, 0, good.clone())),
        ("batch-factor-padded", after(PADDED, FACTOR, COPIED | ROW_MAJOR, good.clone())),
        ("batch-factor-zero-based", after(PADDED, FACTOR, COPIED | ZERO_BASED, narrow([1, 1, 0, 1]))),
        ("batch-factor-info-alone", after(0, FACTOR, KEPT | NO_SWAPS, computed(2, &[integers(&[1, 2])]))),
        ("batch-factor-no-pivoting", after(NO_PIVOTING, FACTOR, 0, factored(1, [0, -2], [1, 2, 1, 2]))),
        ("batch-solve", after(PADDED, SOLVE, TRANSPOSED | ROW_MAJOR, solved.clone())),
        ("batch-solve-f32", after(SINGLE, SOLVE, 0, computed(0, &[bytes(&[1.0_f32; 4])]))),
        ("batch-solve-singular", after(0, SOLVE, 0, computed(1, std::slice::from_ref(&x)))),
        ("batch-gesv", after(PADDED, GESV, KEPT | NO_SWAPS, computed(1, &[x.clone(), integers(&[0, 1])]))),
        (
            "batch-gesv-everything",
            after(PADDED, GESV, 0, computed(0, &[matrices.clone(), integers(&[1, 2, 2, 2]), x, integers(&[0, 0])])),
        ),
        ("batch-inverse", after(PADDED, INVERSE, ROW_MAJOR, inverses(0, [0, 0]))),
        ("batch-inverse-singular", after(PADDED, INVERSE, 0, inverses(1, [2, 0]))),
        ("batch-inverse-not-singular", after(0, INVERSE, 0, inverses(0, [2, 0]))),
        ("batch-inverse-cut", after(0, INVERSE, 0, inverses(1, [2, 0])[..100].to_vec())),
        ("batch-det", after(0, DET, 0, computed(0, &[integers(&[0x3fe0_0000_0000_0000, 1, 0, 0])]))),
        ("batch-det-singular", after(0, DET, 0, computed(1, &[integers(&[0; 4])]))),
        ("batch-empty", [&[BATCH, 0, 3, 0, FACTOR, 2, 0], &hello[..], &computed(0, &[integers(&[0, 0])])].concat()),
        ("batch-of-none", [&[BATCH, 3, 3, 0, GESV, 4, 0], &hello[..], &computed(0, &[])].concat()),
        ("batch-singular-too-many", after(0, FACTOR, 0, factored(3, [1, 2], [2, 2, 2, 2]))),
        ("batch-singular-negative", after(0, FACTOR, 0, factored(-1, [0, 0], [2, 2, 2, 2]))),
        ("batch-singular-other-number", after(0, FACTOR, 0, factored(1, [0, 0], [2, 2, 2, 2]))),
        ("batch-info-too-large", after(0, FACTOR, 0, factored(1, [0, 3], [2, 2, 2, 2]))),
        ("batch-info-of-other-pivoting", after(0, FACTOR, 0, factored(1, [0, -1], [2, 2, 2, 2]))),
        ("batch-ipiv-zero", after(0, FACTOR, 0, factored(0, [0, 0], [2, 2, 0, 2]))),
        ("batch-ipiv-outside", after(0, FACTOR, 0, factored(0, [0, 0], [2, 2, 3, 2]))),
        ("batch-ipiv-above-its-row", after(0, FACTOR, 0, factored(0, [0, 0], [2, 1, 2, 2]))),
        ("batch-ipiv-largest", after(0, FACTOR, ZERO_BASED, narrow([1, 1, 1, i32::MAX]))),
        ("batch-ipiv-negative", after(0, FACTOR, ZERO_BASED, narrow([-1, 1, 1, 1]))),
        ("batch-one-byte-short", after(0, FACTOR, 0, good[..good.len() - 1].to_vec())),
        ("batch-one-byte-short-open", after(OPEN_STDOUT, FACTOR, 0, good[..good.len() - 1].to_vec())),
        ("batch-one-byte-more", after(0, FACTOR, 0, [&good[..], &[0]].concat())),
        ("batch-open", after(OPEN_STDOUT, FACTOR, 0, good)),
        ("batch-payload-too-long", after(0, SOLVE, 0, computed(0, &[vec![0; 33]]))),
        ("batch-payload-too-short", after(0, SOLVE, 0, computed(0, &[vec![0; 31]]))),
        ("batch-payload-shorter-than-its-fixed-part", after(0, SOLVE, 0, frame(0, &[0; 15]))),
        ("batch-refused", after(0, GESV, 0, frame(-4, b"expected memory"))),
        ("batch-refused-at-length", after(0, GESV, 0, frame(-6, &[b'x'; 500]))),
        ("batch-refused-then-more", after(0, GESV, 0, [frame(-4, b"no"), vec![0]].concat())),
        ("batch-cancelled", after(PADDED, INVERSE, 0, frame(-5, b"cancelled"))),
        ("batch-status-positive", after(0, SOLVE, 0, frame(1, &[0; 48]))),
        ("batch-silent", after(OPEN_STDOUT, SOLVE, 0, vec![])),
        ("batch-no-batches", batch(0, SOLVE, 0, &[welcome(3, 1 << 30), solved.clone()].concat())),
        ("batch-version-1", batch(0, SOLVE, 0, &(i64::MIN + 1).to_le_bytes())),
        ("batch-hello-unknown", batch(0, SOLVE, 0, &frame(-1, b"what?"))),
        ("batch-other-name", batch(0, SOLVE, 0, &frame(0, &[b'R'; 40]))),
        ("batch-over-the-limit", batch(0, SOLVE, 0, &welcome(7, 127))),
        ("batch-at-the-limit", batch(0, SOLVE, 0, &[welcome(7, 128), solved].concat())),
        ("batch-closed-stdin", after(CLOSED_STDIN, DET, 0, vec![])),
        ("batch-full-stdin", after(FULL_STDIN, DET, 0, vec![])),
    ])
}

/// Answers to batches in mapped memory, which nobody writes: results that have no place of an input there are zeros.
pub fn mapped_batch_answers() -> Seeds {
    let after = |flags, command, wanted, answer: &[u8]| {
        batch(ASKED | flags, command, wanted, &[&greeting(7, 1 << 30)[..], answer].concat())
    };
    let good = computed(0, &[]);
    let x = computed(0, &[vec![7; 32]]);
    let not_mapped = [welcome(7, 1 << 30), frame(-8, b"expected a memfd")].concat();
    let one = |wanted| [&[BATCH | ASKED, 1, 1, 0, FACTOR, 2, wanted], &greeting(7, 1 << 30)[..], &good].concat();
    named([
        ("batch-mapped-factor", after(PADDED, FACTOR, NO_SWAPS, &good)),
        ("batch-mapped-factor-copied", after(PADDED, FACTOR, COPIED | NO_SWAPS, &good)),
        ("batch-mapped-factor-other-order", after(PADDED, FACTOR, COPIED | NO_SWAPS | 1, &good)),
        ("batch-mapped-ipiv-zero", after(0, FACTOR, 0, &good)),
        ("batch-mapped-zero-based-zero", after(0, FACTOR, ZERO_BASED, &good)),
        ("batch-mapped-one-ipiv-zero", one(0)),
        ("batch-mapped-one-zero-based", one(ZERO_BASED)),
        ("batch-mapped-solve", after(PADDED, SOLVE, ROW_MAJOR, &good)),
        ("batch-mapped-gesv", after(PADDED, GESV, KEPT | NO_SWAPS, &good)),
        ("batch-mapped-inverse", after(PADDED, INVERSE, ROW_MAJOR, &good)),
        ("batch-mapped-inverse-singular", after(0, INVERSE, 0, &computed(1, &[]))),
        ("batch-mapped-det-f32", after(SINGLE, DET, 0, &good)),
        ("batch-mapped-singular-too-many", after(0, GESV, 0, &computed(3, &[]))),
        ("batch-mapped-with-results", after(0, SOLVE, 0, &x)),
        ("batch-mapped-one-byte-short", after(0, DET, 0, &good[..31])),
        ("batch-mapped-one-byte-more", after(0, DET, 0, &[&good[..], &[0]].concat())),
        ("batch-mapped-refused", after(PADDED, GESV, 0, &frame(-7, b"expected an operand"))),
        ("batch-not-mapped", batch(ASKED, SOLVE, 0, &[&not_mapped[..], &x].concat())),
        ("batch-not-mapped-no-batches", batch(ASKED, SOLVE, 0, &greeting(3, 1 << 30))),
        (
            "batch-asked-twice",
            batch(ASKED, SOLVE, 0, &[frame(-1, b"?"), frame(-1, b"?"), welcome(6, 1 << 30), x].concat()),
        ),
        (
            "batch-asked-twice-version-1",
            batch(ASKED, SOLVE, 0, &[frame(-1, b""), frame(-1, b""), (i64::MIN + 1).to_le_bytes().to_vec()].concat()),
        ),
        ("batch-asked-version-1", batch(ASKED, SOLVE, 0, &(i64::MIN + 1).to_le_bytes())),
    ])
}
