//! Whole sessions: the bytes that a server reads on stdin.

use recfact::server::{Cause, Limits, SessionError, serve};

use testing::frames::Map;
use testing::session_model::{End, Expected, Session, Step};
use testing::{Memfd, memfd::SealFlag};

/// Small enough for the naive factorization of every matrix.
const LIMITS: Limits = Limits { max_bytes: 1 << 16, keep_bytes: 1 << 13, threads: 1, engine: None };

/// Bytes of the memory that the client shares, not a whole number of pages.
const SHARED_BYTES: usize = 9000;

/// The files that a session may map: two that are as protocol.md wants them, and one that can shrink.
struct Files(Vec<Memfd>);

impl Files {
    fn new() -> Self {
        let seals = [SealFlag::F_SEAL_SHRINK, SealFlag::F_SEAL_SHRINK, SealFlag::empty()];
        Files(seals.map(|seals| Memfd::with_seals(SHARED_BYTES, seals)).into())
    }

    /// Makes a request that opens a file one that opens one of these, or none. Any other file may be that of another program.
    fn redirect(&self, request: &mut [u8]) {
        let mut map = Map::parse(&request[9..]);
        map.process = if map.process == 0 { 0 } else { std::process::id() as i32 };
        map.descriptor = self.0.get(map.descriptor as usize % 4).map_or(i32::MAX, Memfd::descriptor);
        request[9..][..Map::BYTES].copy_from_slice(&map.to_bytes());
    }
}

/// Every request is answered as the model of a session says, to the bit; the session ends where and as `protocol.md` says;
/// there is no byte of output beside that, and no byte of shared memory has changed beside those of the results.
pub fn session(input: &[u8]) {
    let files = Files::new();
    let mut model = Session::new(LIMITS.max_bytes, LIMITS.threads as u32).keeping(LIMITS.keep_bytes);
    for (number, file) in files.0.iter().enumerate() {
        let bytes: Vec<u8> = (0..SHARED_BYTES).map(|at| (at * (number + 7) / 3) as u8).collect();
        file.write(0, &bytes);
        model.add_file(file.descriptor(), number < 2, bytes);
    }

    let mut input = input.to_vec();
    let (mut expected, mut end) = (Vec::new(), None);
    let mut at = 0;
    while end.is_none() {
        if model.opens_a_file(&input[at..]) {
            files.redirect(&mut input[at..]);
        }
        match model.step(&input[at..]) {
            Step::Answer(answer) => expected.push(answer),
            Step::End(by) => end = Some(by),
            // What comes after it is left out, since it cannot be said what it does.
            Step::Unpredictable => {
                input.truncate(model.taken() as usize);
                break;
            }
        }
        at = model.taken() as usize;
    }

    let mut output = Vec::new();
    let ended = serve(&input[..], &mut output, &LIMITS);
    let after = check_answers(&expected, &output);
    let Some(end) = end else { return };
    end.check(after);
    check_end(ended, end, model.request(), if end.is_at_start() { at } else { input.len() });
    for file in &files.0 {
        let mismatch = model.file(file.descriptor()).mismatch(&file.read(0, SHARED_BYTES));
        assert_eq!(mismatch, None, "the first byte of shared memory that is wrong");
    }
}

/// Checks the answers that are expected. Returns the output after them.
fn check_answers<'o>(expected: &[Expected], output: &'o [u8]) -> &'o [u8] {
    let mut at = 0;
    for answer in expected {
        at += answer.check(&output[at..], at as u64);
    }
    &output[at..]
}

fn check_end(ended: Result<(), SessionError>, expected: End, number: u64, byte: usize) {
    let Err(error) = ended else { return assert_eq!(expected, End::Good) };
    let end = match error.cause {
        Cause::Refused(refusal) if refusal.code() == 10 => End::TooLong,
        Cause::Refused(refusal) => End::Refused(refusal.code()),
        Cause::EndInHead { .. } => End::InHead,
        Cause::EndInMatrix { .. } => End::InMatrix,
        Cause::EndInPayload { .. } => End::InPayload,
        _ => panic!("{error}"),
    };
    assert_eq!((end, error.request, error.byte), (expected, number, byte as u64), "{error}");
    assert!(error.to_string().starts_with(&format!("request {number} at byte {byte}: expected ")), "{error}");
}
