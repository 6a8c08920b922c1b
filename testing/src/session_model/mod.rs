//! A session as protocol.md describes it, written down a second time to hold the server against: what each request is
//! answered with, and how the session ends. Only words are not predicted.

mod batch;
mod expected;
mod factor;
mod operands;
mod system;

use std::collections::BTreeMap;
use std::process;

use crate::frames::{
    BATCH_DET, BATCH_FACTOR, FACTOR, FILES_FACTOR, FILES_SOLVE, Files, HELLO, INVERSE, KEEP, MAP, Map, PING, RELEASE,
    STATS, UNMAP,
};
use crate::image::Image;
use crate::oracle::{Float, naive_lu};
use crate::version1::Request;

pub use batch::batch_sizes;
pub use expected::{End, Expected};
use system::Kept;
pub use system::system_sizes;

const MAX_SEGMENTS: usize = 16;

/// Why there is no answer of success.
enum Stop {
    /// A status below 0.
    Status(i64),
    /// The model cannot tell.
    Unpredictable,
}

const UNKNOWN: Stop = Stop::Status(-1);
const BAD_SHAPE: Stop = Stop::Status(-2);
const OVER_LIMIT: Stop = Stop::Status(-3);
const MALFORMED: Stop = Stop::Status(-6);
const BAD_OPERAND: Stop = Stop::Status(-7);
const BAD_SEGMENT: Stop = Stop::Status(-8);
const NOT_FINITE: Stop = Stop::Status(-9);
const NO_FACTORS: Stop = Stop::Status(-11);
const NO_ROOM: Stop = Stop::Status(-12);

/// A file whose descriptor the server can open.
#[derive(Debug, Clone)]
struct SharedFile {
    sealed: bool,
    image: Image,
}

/// What is mapped.
#[derive(Debug, Clone, Copy)]
struct Segment {
    descriptor: i32,
    size: usize,
}

/// What the next request comes to.
#[derive(Debug)]
pub enum Step {
    /// An answer.
    Answer(Expected),
    /// The end of the session.
    End(End),
    /// The model cannot tell: elements are read of which it does not know the bits, or segments share memory.
    Unpredictable,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    max_bytes: u64,
    keep_bytes: u64,
    threads: u32,
    kept: Kept,
    /// Descriptors of this process.
    files: BTreeMap<i32, SharedFile>,
    segments: [Option<Segment>; MAX_SEGMENTS],
    /// Requests that succeeded, as [`REQUESTS`] lists them.
    succeeded: [u64; REQUESTS.len()],
    refused: u64,
    taken: u64,
    request: u64,
}

const REQUESTS: [&str; 11] = [
    "requests_version1",
    "requests_hello",
    "requests_ping",
    "requests_stats",
    "requests_map",
    "requests_unmap",
    "requests_factor",
    "requests_system",
    "requests_release",
    "requests_batch",
    "requests_files",
];

impl Session {
    /// A session with these limits.
    #[must_use]
    pub fn new(max_bytes: u64, threads: u32) -> Self {
        Session {
            max_bytes,
            keep_bytes: max_bytes,
            threads,
            kept: Kept::default(),
            files: BTreeMap::new(),
            segments: [None; MAX_SEGMENTS],
            succeeded: [0; REQUESTS.len()],
            refused: 0,
            taken: 0,
            request: 1,
        }
    }

    /// The session, if as many bytes of factors may be kept.
    #[must_use]
    pub fn keeping(self, keep_bytes: u64) -> Self {
        Session { keep_bytes, ..self }
    }

    /// Adds a file that this process has open, sealed against shrinking or not, with its bytes.
    pub fn add_file(&mut self, descriptor: i32, sealed: bool, bytes: Vec<u8>) {
        self.files.insert(descriptor, SharedFile { sealed, image: bytes.into() });
    }

    /// What such a file has come to.
    ///
    /// # Panics
    /// If there is no such file.
    #[must_use]
    pub fn file(&self, descriptor: i32) -> &Image {
        &self.files[&descriptor].image
    }

    /// The client writes to a file.
    ///
    /// # Panics
    /// If there is no such file, or it is shorter.
    pub fn write(&mut self, descriptor: i32, at: usize, bytes: &[u8]) {
        self.files.get_mut(&descriptor).expect("a known file").image.write(at, bytes);
    }

    /// Bytes of all requests so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The number of the next request, as errors count.
    #[must_use]
    pub fn request(&self) -> u64 {
        self.request
    }

    /// The next request, with which all that is left of the input begins.
    pub fn step(&mut self, input: &[u8]) -> Step {
        match input.first() {
            None | Some(0xff) => Step::End(End::Good),
            Some(0x10..) => self.frame(input),
            Some(_) => self.version1(input),
        }
    }

    fn version1(&mut self, input: &[u8]) -> Step {
        if input[0] > 7 {
            return Step::End(End::Refused(1));
        }
        let Some((head, rest)) = input.split_first_chunk() else { return Step::End(End::InHead) };
        let request = match Request::parse(head, self.max_bytes) {
            Ok(request) => request,
            Err(code) => return Step::End(End::Refused(code)),
        };
        if (rest.len() as u128) < request.matrix_bytes() {
            return Step::End(End::InMatrix);
        }
        let elements = &rest[..request.matrix_bytes() as usize];
        self.taken += (head.len() + elements.len()) as u64;
        self.succeeded[0] += 1;
        // A label is no request of its own: a row of four numbers that begins with this one.
        let is_label = head[0] == 0 && (request.m, request.n) == (1, 4) && elements.starts_with(b"\x01tcaFceR");
        self.request += u64::from(!is_label);
        let answer = if request.single { answer::<f32>(&request, elements) } else { answer::<f64>(&request, elements) };
        Step::Answer(Expected::Version1(answer))
    }

    fn frame(&mut self, input: &[u8]) -> Step {
        let Some((&[command, ref length @ ..], rest)) = input.split_first_chunk::<9>() else {
            return Step::End(End::InHead);
        };
        let length = u64::from_le_bytes(*length);
        if length > self.max_bytes.saturating_add(64 << 10).max(1 << 30) {
            return Step::End(End::TooLong);
        }
        if (rest.len() as u64) < length {
            return Step::End(End::InPayload);
        }
        let payload = &rest[..length as usize];
        self.taken += 9 + length;
        self.request += 1;
        let answer = match command {
            HELLO => self.hello(payload).map(|answer| (1, answer)),
            PING => self.ping(payload).map(|answer| (2, answer)),
            STATS => self.stats(payload).map(|answer| (3, answer)),
            MAP => self.map(payload).map(|answer| (4, answer)),
            UNMAP => self.unmap(payload).map(|answer| (5, answer)),
            FACTOR => self.factor(payload).map(|answer| (6, answer)),
            KEEP..=INVERSE => self.system(command, payload).map(|answer| (7, answer)),
            RELEASE => self.release(payload).map(|answer| (8, answer)),
            BATCH_FACTOR..=BATCH_DET => self.batch(command, payload).map(|answer| (9, answer)),
            FILES_FACTOR | FILES_SOLVE => Err(Stop::Status(files(command, payload))),
            _ => Err(UNKNOWN),
        };
        match answer {
            Ok((kind, answer)) => {
                self.succeeded[kind] += 1;
                Step::Answer(answer)
            }
            Err(Stop::Status(status)) => {
                self.refused += 1;
                Step::Answer(Expected::Refused(status))
            }
            Err(Stop::Unpredictable) => Step::Unpredictable,
        }
    }

    fn hello(&self, payload: &[u8]) -> Result<Expected, Stop> {
        if payload.len() < 4 {
            return Err(MALFORMED);
        }
        let mut fixed = b"RECFACT\0".to_vec();
        fixed.extend(2_u32.to_le_bytes());
        fixed.extend(15_u64.to_le_bytes());
        fixed.extend(self.max_bytes.to_le_bytes());
        fixed.extend(self.threads.to_le_bytes());
        let lines = vec![("version", None), ("isa", None), ("pid", None), ("bits", Some("library".into()))];
        Ok(Expected::Text { fixed, lines })
    }

    fn ping(&self, payload: &[u8]) -> Result<Expected, Stop> {
        if payload.len() as u64 > self.max_bytes {
            Err(OVER_LIMIT)
        } else {
            Ok(Expected::Data(payload.to_vec().into()))
        }
    }

    fn stats(&self, payload: &[u8]) -> Result<Expected, Stop> {
        if !payload.is_empty() {
            return Err(MALFORMED);
        }
        let number = |number: u64| Some(number.to_string());
        let mut lines: Vec<_> = REQUESTS.into_iter().zip(self.succeeded.map(number)).collect();
        lines.push(("requests_refused", number(self.refused)));
        lines.extend(["seconds_reading", "seconds_computing", "seconds_writing", "gflops"].map(|key| (key, None)));
        lines.extend([("bytes_in", number(self.taken)), (expected::BYTES_OUT, None)]);
        lines.extend([("memory_bytes", None), ("memory_peak_bytes", None)]);
        lines.push(("kept_factors", number(self.kept.count())));
        lines.push(("kept_bytes", number(self.kept.bytes())));
        let mapped = || self.segments.iter().flatten();
        lines.push(("segments", number(mapped().count() as u64)));
        lines.push(("segment_bytes", number(mapped().map(|segment| segment.size as u64).sum())));
        Ok(Expected::Text { fixed: Vec::new(), lines })
    }

    /// The number of the segment, if the request is one that opens a file.
    fn slot(&self, payload: &[u8]) -> Result<(usize, Map), Stop> {
        if payload.len() != Map::BYTES {
            return Err(MALFORMED);
        }
        let map = Map::parse(payload);
        let good = match map.flags {
            0 => map.process > 0,
            1 => map.process == 0,
            _ => false,
        };
        if !good || map.descriptor < 0 || map.size < 1 {
            return Err(MALFORMED);
        }
        let at = match map.segment {
            0 => self.segments.iter().position(Option::is_none).ok_or(BAD_SEGMENT)?,
            segment => self.index(segment)?,
        };
        let others = self.segments.iter().enumerate().filter(|(other, _)| *other != at);
        let others: u128 = others.filter_map(|(_, segment)| *segment).map(|segment| segment.size as u128).sum();
        let max = 2 * u128::from(self.max_bytes) + (1 << 20);
        if others + map.size as u128 > max { Err(OVER_LIMIT) } else { Ok((at, map)) }
    }

    /// Whether the input begins with a MAP that opens a file.
    #[must_use]
    pub fn opens_a_file(&self, input: &[u8]) -> bool {
        let head = crate::frames::head(MAP, Map::BYTES as u64);
        let payload = input.strip_prefix(&head[..]).and_then(|rest| rest.get(..Map::BYTES));
        payload.is_some_and(|payload| self.slot(payload).is_ok())
    }

    fn map(&mut self, payload: &[u8]) -> Result<Expected, Stop> {
        let (at, Map { process, descriptor, size, .. }) = self.slot(payload)?;
        let size = size as usize;
        let is_ours = process == 0 || process == process::id() as i32;
        let file = self.files.get(&descriptor).filter(|_| is_ours).ok_or(BAD_SEGMENT)?;
        if !file.sealed || size > file.image.len() {
            return Err(BAD_SEGMENT);
        }
        self.segments[at] = Some(Segment { descriptor, size });
        Ok(Expected::Data((at as u32 + 1).to_le_bytes().to_vec().into()))
    }

    fn index(&self, segment: u32) -> Result<usize, Stop> {
        let at = (segment as usize).checked_sub(1).ok_or(BAD_SEGMENT)?;
        if self.segments.get(at).is_some_and(Option::is_some) { Ok(at) } else { Err(BAD_SEGMENT) }
    }

    fn unmap(&mut self, payload: &[u8]) -> Result<Expected, Stop> {
        let segment = payload.try_into().map(u32::from_le_bytes).map_err(|_| MALFORMED)?;
        let at = self.index(segment)?;
        self.segments[at] = None;
        Ok(Expected::Data(Image::default()))
    }
}

/// The status of FILES_FACTOR and FILES_SOLVE, in a session without an engine for files.
fn files(command: u8, payload: &[u8]) -> i64 {
    let files = Files::parse(payload).filter(|files| files.is_good(command));
    if files.is_some_and(|files| files.name_bytes() == files.names.len() as u64) { -13 } else { -6 }
}

/// The answer of version 1.
fn answer<T: Float>(request: &Request, elements: &[u8]) -> Image {
    let a: Vec<T> = elements.chunks_exact(size_of::<T>()).map(T::from_le).collect();
    let naive = naive_lu(&a, request.m as usize, request.n as usize, request.pivoting);
    let mut image = Image::from(naive.info.to_le_bytes().to_vec());
    naive.lu.iter().for_each(|&x| image.extend_element(x));
    naive.ipiv.iter().for_each(|row| image.extend(&row.to_le_bytes()));
    image
}
