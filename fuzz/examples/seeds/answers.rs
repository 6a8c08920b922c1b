//! Answers to HELLO, MAP and FACTOR, for the target `response`.

use super::{
    ASKED, CLOSED_STDIN, FULL_STDIN, NO_PIVOTING, OPEN_STDOUT, PADDED, SINGLE, Seeds, answer, answer_with, ask, named,
};
use testing::Kind;

/// An answer to an extended frame.
fn frame(status: i64, payload: &[u8]) -> Vec<u8> {
    [&status.to_le_bytes()[..], &payload.len().to_le_bytes(), payload].concat()
}

/// The answers to HELLO, with these features and this limit, and to MAP.
fn greeting(features: u8, max_bytes: u64) -> Vec<u8> {
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
