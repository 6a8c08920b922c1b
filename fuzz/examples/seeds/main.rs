//! Writes the inputs that every target starts from into `corpus/`: for each rule of `protocol.md` and of the file formats
//! one that obeys it and one that breaks it. Their names say what they are.

mod answers;
mod frames;
mod systems;

use std::fs;
use std::io;
use std::path::Path;

use recfact::protocol::{Head, label};
use testing::{Float, KINDS, Kind, matrix, naive_lu};

type Seeds = Vec<(String, Vec<u8>)>;

fn main() -> io::Result<()> {
    let targets = [
        ("request_head", request_heads()),
        ("frame", frames::layouts()),
        ("session", [sessions(), frames::sessions()].concat()),
        ("response", responses()),
        ("label", labels()),
        ("text", texts()),
        ("npy", npy_files()),
    ];
    for (target, seeds) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        println!("{}: {} seeds", folder.display(), seeds.len());
        for (name, bytes) in seeds {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}

fn named<const N: usize, B: Into<Vec<u8>>>(seeds: [(&str, B); N]) -> Seeds {
    seeds.into_iter().map(|(name, bytes)| (name.into(), bytes.into())).collect()
}

/// The head of a request.
fn head(command: u8, m: i64, n: i64) -> Vec<u8> {
    [&[command][..], &m.to_le_bytes(), &n.to_le_bytes()].concat()
}

fn bytes<T: Float>(a: &[T]) -> Vec<u8> {
    a.iter().flat_map(|x| x.le_bytes()).collect()
}

fn request_heads() -> Seeds {
    let limited = |m, n, limit: u64| [head(0, m, n), limit.to_le_bytes().to_vec()].concat();
    let response = |bytes: usize| [limited(2, 2, 1000), vec![0; bytes]].concat();
    let mut seeds = named([
        ("shorter-than-a-head", head(0, 1, 1)[..16].to_vec()),
        ("unknown-0x08", head(0x08, 1, 1)),
        ("unknown-0x10", head(0x10, 1, 1)),
        ("exit", head(0xff, 1, 1)),
        ("negative-m", head(0, -1, 1)),
        ("negative-n", head(1, 1, -1)),
        ("negative-both", head(0, i64::MIN, i64::MIN)),
        ("empty-m", head(0, 0, 7)),
        ("empty-n-longest-m", head(0, i64::MAX, 0)),
        ("largest-f64", head(0, i64::MAX / 8, 1)),
        ("largest-f32", head(1, 1, i64::MAX / 4)),
        ("largest-square", head(0, 1 << 30, (1 << 30) - 1)),
        ("two-to-63-bytes", head(0, 1 << 30, 1 << 30)),
        ("largest-sizes", head(0, i64::MAX, i64::MAX)),
        ("wraps-to-zero", head(0, 1 << 32, 1 << 32)),
        ("wraps-to-small", head(1, (1 << 62) + 1, 4)),
        ("at-the-limit", limited(3, 2, 48)),
        ("over-the-limit", limited(3, 2, 47)),
        ("empty-at-no-limit", limited(0, 2, 0)),
        ("response-2x2", response(8 + 32 + 16)),
        ("response-too-short", response(8 + 32 + 15)),
        ("response-too-long", response(8 + 32 + 17)),
    ]);
    seeds.extend((0..8).map(|command| (format!("command-{command:#04x}"), head(command, 3, 2))));
    seeds
}

/// A request for a matrix of a kind; odd commands are those of f32.
fn request(command: u8, kind: Kind, m: usize, n: usize) -> Vec<u8> {
    let elements =
        if command & 1 == 0 { bytes::<f64>(&matrix(kind, m, n, 1)) } else { bytes::<f32>(&matrix(kind, m, n, 1)) };
    [head(command, m as i64, n as i64), elements].concat()
}

/// The request that announces another one.
fn announcement(request: &[u8]) -> Vec<u8> {
    let head = Head::parse(request.first_chunk().expect("a head"), u64::MAX).expect("a good head");
    label::announce(&head).expect("sizes of a label").to_vec()
}

fn sessions() -> Seeds {
    let square = request(0, Kind::Uniform, 2, 2);
    let mut seeds = named([
        ("nothing", vec![]),
        ("exit", vec![0xff]),
        ("exit-then-more", [&[0xff], &square[..]].concat()),
        ("unknown-command", vec![0x0f]),
        ("unknown-second-command", [&square[..], &[0x08]].concat()),
        ("end-in-head", head(0, 1, 1)[..9].to_vec()),
        ("end-in-matrix", square[..40].to_vec()),
        ("negative-size", head(2, -1, 3)),
        ("overflow", head(0, 1 << 32, 1 << 32)),
        ("overflow-largest", head(2, i64::MAX, i64::MAX)),
        ("over-the-limit", head(0, 91, 91)),
        ("empty", [head(0, 0, 3), head(1, 3, 0), head(6, 0, 0)].concat()),
        ("empty-longest", [head(0, i64::MAX, 0), head(5, 0, i64::MAX), square.clone()].concat()),
        ("label", [announcement(&square), square.clone()].concat()),
        ("label-then-end", announcement(&square)),
        ("label-twice-then-bad", [announcement(&square), announcement(&square), vec![9]].concat()),
        ("every-command", (0..8).flat_map(|command| request(command, Kind::Uniform, 3, 3)).chain([0xff]).collect()),
        ("smaller-after-larger", [request(0, Kind::Ties, 16, 16), request(1, Kind::Ties, 1, 1)].concat()),
    ]);
    for (kind, at) in KINDS.into_iter().zip(0..) {
        seeds.push((format!("kind-{kind:?}").to_lowercase(), request(at % 8, kind, 5, 4)));
        seeds.push((format!("kind-{kind:?}-wide").to_lowercase(), request((at + 1) % 8, kind, 4, 6)));
    }
    for (m, n) in [(1, 1), (1, 9), (9, 1), (8, 8), (9, 8), (16, 16), (17, 16), (20, 22), (60, 8), (8, 60)] {
        seeds.push((format!("f64-{m}x{n}"), request(0, Kind::Uniform, m, n)));
        seeds.push((format!("f32-{m}x{n}"), request(1, Kind::Uniform, m, n)));
    }
    seeds
}

/// The flags of an input of the target `response`.
const SINGLE: u8 = 1 << 0;
const NO_PIVOTING: u8 = 1 << 1;
const PADDED: u8 = 1 << 2;
const CLOSED_STDIN: u8 = 1 << 3;
const FULL_STDIN: u8 = 1 << 4;
const OPEN_STDOUT: u8 = 1 << 5;
const ASKED: u8 = 1 << 6;
const BATCH: u8 = 1 << 7;

/// An input of the target `response`.
fn answer_with(flags: u8, m: u8, n: u8, stderr: &[u8], stdout: &[u8]) -> Vec<u8> {
    [&[flags, m, n, stderr.len() as u8], stderr, stdout].concat()
}

/// The answer for a matrix of a kind.
fn answer<T: Float>(kind: Kind, m: usize, n: usize, pivoting: bool) -> Vec<u8> {
    let naive = naive_lu::<T>(&matrix(kind, m, n, 1), m, n, pivoting);
    let swaps: Vec<u8> = naive.ipiv.iter().flat_map(|row| row.to_le_bytes()).collect();
    [naive.info.to_le_bytes().to_vec(), bytes(&naive.lu), swaps].concat()
}

/// An answer for a 2 x 2 matrix in double precision.
fn raw_answer(info: i64, ipiv: [i64; 2]) -> Vec<u8> {
    [info.to_le_bytes().to_vec(), vec![0; 32], ipiv.map(i64::to_le_bytes).concat()].concat()
}

/// An input for a 2 x 2 matrix and a server that is silent on stderr.
fn ask(flags: u8, stdout: &[u8]) -> Vec<u8> {
    answer_with(flags, 2, 2, b"", stdout)
}

fn responses() -> Seeds {
    let batches = [answers::batch_answers(), answers::mapped_batch_answers()].concat();
    let frames = [answers::factor_answers(), answers::greetings(), batches, systems::system_answers()].concat();
    [whole_answers(), refusals_and_ends(), stderrs(), frames].concat()
}

/// Responses that have the size.
fn whole_answers() -> Seeds {
    let good = answer::<f64>(Kind::Uniform, 2, 2, true);
    named([
        ("good-f64", ask(0, &good)),
        ("good-f32", ask(SINGLE, &answer::<f32>(Kind::Uniform, 2, 2, true))),
        ("good-no-pivoting", ask(NO_PIVOTING, &answer::<f64>(Kind::Uniform, 2, 2, false))),
        ("good-padded", answer_with(PADDED, 5, 3, b"", &answer::<f64>(Kind::Uniform, 5, 3, true))),
        ("good-wide-f32", answer_with(SINGLE | PADDED, 3, 15, b"", &answer::<f32>(Kind::Ties, 3, 15, true))),
        ("good-largest", answer_with(0, 15, 15, b"", &answer::<f64>(Kind::Uniform, 15, 15, true))),
        ("good-nan", answer_with(0, 4, 4, b"", &answer::<f64>(Kind::NotFinite, 4, 4, true))),
        ("good-empty", answer_with(0, 0, 5, b"", &[0; 8])),
        ("good-empty-no-columns", answer_with(PADDED, 5, 0, b"", &[0; 8])),
        ("singular", ask(0, &raw_answer(2, [1, 2]))),
        ("singular-no-pivoting", ask(NO_PIVOTING, &raw_answer(-1, [1, 2]))),
        ("info-too-large", ask(0, &raw_answer(3, [1, 2]))),
        ("info-of-other-pivoting", ask(0, &raw_answer(-1, [1, 2]))),
        ("info-of-other-pivoting-2", ask(NO_PIVOTING, &raw_answer(1, [1, 2]))),
        ("info-largest", ask(0, &raw_answer(i64::MAX, [1, 2]))),
        ("info-just-no-refusal", ask(0, &raw_answer(-(1 << 62), [1, 2]))),
        ("ipiv-zero", ask(0, &raw_answer(0, [0, 2]))),
        ("ipiv-outside", ask(0, &raw_answer(0, [3, 2]))),
        ("ipiv-above-its-row", ask(0, &raw_answer(0, [2, 1]))),
        ("ipiv-smallest", ask(0, &raw_answer(0, [1, i64::MIN]))),
    ])
}

/// Refusals, responses that are too short or too long, and servers that do not read.
fn refusals_and_ends() -> Seeds {
    let refusal = |code: i64| (i64::MIN + code).to_le_bytes();
    let good = answer::<f64>(Kind::Uniform, 2, 2, true);
    let line = b"recfact_server: request 1 at byte 0: expected a command\n";
    named([
        ("refusal-with-line", answer_with(CLOSED_STDIN, 2, 2, line, &refusal(1))),
        ("refusal-255", ask(0, &refusal(255))),
        ("refusal-256", ask(0, &refusal(256))),
        ("refusal-0", ask(0, &refusal(0))),
        ("refusal-full-stdin", ask(FULL_STDIN, &refusal(3))),
        ("refusal-then-more", ask(0, &[&refusal(4)[..], &good].concat())),
        ("silent", ask(0, &[])),
        ("silent-open", ask(OPEN_STDOUT, &[])),
        ("half-an-info", ask(0, &good[..4])),
        ("info-alone", ask(0, &good[..8])),
        ("one-byte-short", ask(0, &good[..good.len() - 1])),
        ("one-byte-short-open", ask(OPEN_STDOUT, &good[..good.len() - 1])),
        ("one-byte-more", ask(0, &[&good[..], &[0]].concat())),
        ("open", ask(OPEN_STDOUT, &good)),
        ("open-one-byte-more", ask(OPEN_STDOUT, &[&good[..], &[0]].concat())),
        ("answer-before-the-request", ask(CLOSED_STDIN, &good)),
        ("answer-to-a-full-pipe", ask(FULL_STDIN, &good)),
        ("full-and-open", ask(FULL_STDIN | OPEN_STDOUT, &[])),
    ])
}

/// What a server writes to stderr before it dies.
fn stderrs() -> Seeds {
    let stderr: [(&str, &[u8]); 4] = [
        ("stderr-not-utf8", b"bad \xff\xfe\xc3\n"),
        ("stderr-blank-lines", b"\n \r\n\t\n"),
        ("stderr-no-newline", "größer".as_bytes()),
        ("stderr-full", &[b'x'; 255]),
    ];
    stderr.map(|(name, stderr)| (name.into(), answer_with(0, 2, 2, stderr, &[]))).into()
}

fn labels() -> Seeds {
    let magic = f64::from_bits(u64::from_be_bytes(*b"RecFact\x01"));
    let row = |numbers: [f64; 4]| bytes(&numbers);
    let largest = (1_u64 << 53) as f64;
    let mut seeds = named([
        ("nothing", vec![]),
        ("magic-alone", row([magic, 0.0, 1.0, 1.0])[..8].to_vec()),
        ("one-byte-short", row([magic, 0.0, 1.0, 1.0])[..31].to_vec()),
        ("with-its-swap", [row([magic, 0.0, 3.0, 2.0]), 1_i64.to_le_bytes().to_vec()].concat()),
        ("other-magic", row([-magic, 0.0, 1.0, 1.0])),
        ("unknown-command", row([magic, 8.0, 1.0, 1.0])),
        ("command-256", row([magic, 256.0, 1.0, 1.0])),
        ("fraction", row([magic, 0.0, 1.5, 1.0])),
        ("negative", row([magic, 0.0, -1.0, 1.0])),
        ("negative-zero", row([magic, -0.0, -0.0, -0.0])),
        ("nan", row([magic, f64::NAN, 1.0, f64::NAN])),
        ("infinite", row([magic, 0.0, f64::INFINITY, f64::NEG_INFINITY])),
        ("subnormal", row([magic, 0.0, 5e-324, 1.0])),
        ("largest", row([magic, 0.0, largest, 0.0])),
        ("largest-twice", row([magic, 0.0, largest, largest])),
        ("above-the-largest", row([magic, 0.0, largest + 2.0, 0.0])),
        ("stack", row([magic, 64.0, 1000.0, 0.0])),
        ("stack-largest", row([magic, 64.0, largest, 0.0])),
        ("stack-above-the-largest", row([magic, 64.0, largest + 2.0, 0.0])),
        ("stack-with-a-fourth-number", row([magic, 64.0, 3.0, 2.0])),
        ("stack-fraction", row([magic, 64.0, 0.5, 0.0])),
        ("zeros", vec![0; 40]),
        ("ones", vec![0xff; 40]),
        ("head-largest", head(0, 1 << 53, 0)),
        ("head-above-the-largest", head(0, 0, (1 << 53) + 1)),
        ("head-longest", head(1, 0, i64::MAX)),
        ("head-unknown", head(8, 1, 1)),
    ]);
    for command in 0..8_u8 {
        seeds.push((format!("command-{command}"), row([magic, command.into(), 7.0, 3.0])));
        seeds.push((format!("head-{command}"), head(command, 1 << 20, 3)));
    }
    seeds
}

fn texts() -> Seeds {
    named::<_, &[u8]>([
        ("blanks", b"1 2\n3 4\n"),
        ("tabs-and-more-blanks", b"  1\t2 \n\n3 \t 4"),
        ("comma", b"1,2\n3,4\n"),
        ("comma-and-blanks", b" 1 , 2\n 3 ,4 \n"),
        ("comma-crlf", b"1,2\r\n3,4\r\n"),
        ("blanks-crlf", b"1 2\r\n3 4\r\n"),
        ("quoted", b"\"1\",\"2\"\n3,4\n"),
        ("quote-in-quotes", b"\"1\"\"2\",3\n"),
        ("quote-not-closed", b"\"1,2\n3,4\n"),
        ("byte-order-mark", b"\xef\xbb\xbf1 2\n"),
        ("comment", b"# x y\n1 2\n#\n3 4\n# end"),
        ("comment-only", b"# nothing\n"),
        ("comment-later-in-a-line", b"1 # 2\n"),
        ("names", b"x,y\n1,2\n"),
        ("nothing", b""),
        ("blank-lines", b"\n \r\n\n"),
        ("one", b"1"),
        ("column", b"1\n2\n3"),
        ("row-too-long", b"1 2\n3 4 5\n"),
        ("row-too-short", b"1,2\n3\n"),
        ("comma-at-the-end", b"1,2,\n"),
        ("comma-alone", b",\n"),
        ("empty-field", b"1,,3\n"),
        ("signs-and-exponents", b"+1 -2.5e-3 .5 5. 1E+2\n"),
        ("nan-and-infinities", b"nan NaN -nan inf -Infinity +inf\n"),
        ("too-large-for-f64", b"1e400\n"),
        ("too-large-for-f32", b"1e39 -3.5e38\n"),
        ("too-small", b"1e-400 1e-46 5e-324\n"),
        ("many-digits", b"0.1000000000000000055511151231257827021181583404541015625 123456789012345678901234567890\n"),
        ("hexadecimal", b"0x1p3 0b1\n"),
        ("underscore", b"1_000\n"),
        ("decimal-comma", b"1,5;2,5\n"),
        ("semicolon", b"1;2\n3;4\n"),
        ("zero-byte", b"1 2\0\n"),
        ("not-utf8", b"1 \xff\xfe\n"),
        ("not-ascii", "1 2\u{2003}3 \u{661}\n".as_bytes()),
        ("escape-sequence", b"\x1b[31m 1\n"),
        ("other-control-characters", "1 \u{9b}2 \u{7f}\x0b\x0c\n".as_bytes()),
        ("carriage-return", b"1 2\r3 4\r"),
        ("long-word", &[b'9'; 400]),
    ])
}

/// A .npy file of version 1.0.
fn npy(descr: &str, order: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
    [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), elements].concat()
}

/// The same file with a header of a later version, whose length has four bytes.
fn later_version(file: &[u8], version: u8) -> Vec<u8> {
    [&file[..6], &[version, 0], &file[8..10], &[0, 0], &file[10..]].concat()
}

fn npy_files() -> Seeds {
    let good = npy("'<f8'", "True", "(2, 2)", &bytes(&[4.0, 6.0, 3.0, 3.0]));
    let mut seeds = named([
        ("row-major", npy("'<f8'", "False", "(2, 3)", &bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))),
        ("big-endian", npy("'>f8'", "True", "(1, 1)", &7_f64.to_be_bytes())),
        ("too-large-for-f32", npy("'<f8'", "True", "(1, 2)", &bytes(&[1e39, f64::INFINITY]))),
        ("nan", npy("'<f4'", "True", "(1, 2)", &bytes(&[f32::NAN, f32::NEG_INFINITY]))),
        ("bool-2", npy("'|b1'", "True", "(1, 2)", &[1, 2])),
        ("empty", npy("'<f8'", "False", "(0, 3)", &[])),
        ("empty-longest", npy("'<f8'", "False", "(18446744073709551615, 0)", &[])),
        ("empty-longer", npy("'<f8'", "False", "(18446744073709551616, 0)", &[])),
        ("overflow", npy("'<f8'", "False", "(4294967296, 4294967296)", &[])),
        ("negative", npy("'<f8'", "False", "(-1, 2)", &[])),
        ("one-dimension", npy("'<f8'", "True", "(2,)", &[0; 16])),
        ("no-dimension", npy("'<f8'", "True", "()", &[0; 8])),
        ("three-dimensions", npy("'<f8'", "True", "(1, 1, 1)", &[0; 8])),
        ("four-dimensions", npy("'<f8'", "True", "(1, 1, 1, 1)", &[0; 8])),
        ("stack-by-rows", npy("'|i1'", "False", "(2, 3, 2)", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])),
        ("stack-by-columns", npy("'|i1'", "True", "(2, 3, 2)", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])),
        ("stack-of-none", npy("'<f8'", "False", "(0, 3, 18446744073709551615)", &[])),
        ("stack-of-empty-ones", npy("'<f8'", "True", "(18446744073709551615, 3, 0)", &[])),
        ("half-precision", npy("'<f2'", "True", "(1, 1)", &[0; 2])),
        ("complex", npy("'<c16'", "True", "(1, 1)", &[0; 16])),
        ("object", npy("'|O'", "True", "(1, 1)", &[0; 8])),
        ("text", npy("'<U4'", "True", "(1, 1)", &[0; 16])),
        ("longest-element", npy("'|V4294967295'", "True", "(1, 1)", &[0; 8])),
        ("structured", npy("[('a', '<f8'), ('b', '<i4')]", "True", "(1, 1)", &[0; 12])),
        ("structured-nested", npy("[('a', [('b', '<f8', (2,))])]", "True", "(1, 1)", &[0; 16])),
        ("descr-with-controls", npy("'\\x1b[31m'", "True", "(1, 1)", &[0; 8])),
        ("order-missing", npy("'<f8'", "None", "(1, 1)", &[0; 8])),
        ("not-python", npy("'<f8", "True", "(1, 1)", &[0; 8])),
        ("nested-parentheses", npy("'<f8'", "True", &"(".repeat(200), &[0; 8])),
        ("nested-lists", npy("'<f8'", "True", &("[".repeat(22) + &"]".repeat(22)), &[])),
        ("nested-sets", npy("'<f8'", "True", &("{".repeat(14) + "1" + &"}".repeat(14)), &[])),
        ("one-byte-short", good[..good.len() - 1].to_vec()),
        ("one-byte-more", [&good[..], &[0]].concat()),
        ("end-in-header", good[..30].to_vec()),
        ("end-in-version", good[..8].to_vec()),
        ("magic-alone", good[..6].to_vec()),
        ("no-npy", b"PK\x03\x04".to_vec()),
        ("version-2", later_version(&good, 2)),
        ("version-3", later_version(&good, 3)),
        ("version-9", later_version(&good, 9)),
        ("longest-header", [&later_version(&good, 2)[..8], &[0xff; 20]].concat()),
        ("good", good),
    ]);
    for descr in ["<f4", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1", "|b1", ">i4", ">f4"] {
        let size = usize::from(descr.as_bytes()[2] - b'0');
        let name = format!("type-{}{}", if descr.starts_with('>') { "big-endian-" } else { "" }, &descr[1..]);
        seeds.push((name, npy(&format!("'{descr}'"), "True", "(2, 1)", &[1; 16][..2 * size])));
    }
    seeds
}
