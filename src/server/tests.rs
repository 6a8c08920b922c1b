//! The session over inputs and outputs that misbehave in ways that a real pipe rarely does.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::pthread::pthread_kill;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::pipe2;
use testing::frames::{Factor, PING, frame};
use testing::session_model::{Session, Step};
use testing::{Float, Kind, Random, matrix, naive_lu};

use super::*;
use crate::os::{Input, Output};

const LIMITS: Limits = Limits { max_bytes: 1 << 20, keep_bytes: 1 << 20, threads: 1, engine: None };

/// A request for a random matrix, and its response.
fn pair(m: usize, n: usize) -> (Vec<u8>, Vec<u8>) {
    let a: Vec<f64> = matrix(Kind::Uniform, m, n, 3);
    let naive = naive_lu(&a, m, n, true);
    let bytes = |a: &[f64]| a.iter().flat_map(|x| x.le_bytes()).collect::<Vec<u8>>();
    let swaps: Vec<u8> = naive.ipiv.iter().flat_map(|row| row.to_le_bytes()).collect();
    let header = [&[0][..], &(m as i64).to_le_bytes(), &(n as i64).to_le_bytes()].concat();
    ([header, bytes(&a)].concat(), [naive.info.to_le_bytes().to_vec(), bytes(&naive.lu), swaps].concat())
}

/// A stream that hands over a random number of bytes at a time and is interrupted in between.
struct Fitful<S> {
    inner: S,
    random: Random,
}

impl<S> Fitful<S> {
    fn bytes(&mut self, len: usize) -> io::Result<usize> {
        match self.random.below(4) {
            0 => Err(ErrorKind::Interrupted.into()),
            1 => Ok(len.min(1)),
            _ => Ok(1 + self.random.below(len)),
        }
    }
}

impl Read for Fitful<&[u8]> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes(buf.len())?.min(buf.len());
        self.inner.read(&mut buf[..bytes])
    }
}

impl Write for Fitful<&mut Vec<u8>> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let bytes = self.bytes(buf.len())?.min(buf.len());
        self.inner.write(&buf[..bytes])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn any_split_into_reads_and_writes_gives_the_same_bytes() {
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for (m, n) in [(3, 3), (0, 4), (17, 5), (5, 17)] {
        let (request, response) = pair(m, n);
        input.extend(request);
        expected.extend(response);
    }
    // Payloads that are shorter than what is read ahead, and longer; some are skipped.
    let fixed = Factor::in_payload(0, 9, 8);
    let factor = fixed.frame(&matrix::<f64>(Kind::Uniform, 9, 8, 3));
    let frames = [factor.clone(), frame(PING, &[7; 700]), frame(0x7f, &[7; 20_000]), frame(PING, &[]), factor];
    let mut model = Session::new(LIMITS.max_bytes, 1);
    let mut answers = Vec::new();
    serve(&frames.concat()[..], &mut answers, &LIMITS).unwrap();
    let mut at = 0;
    for frame in &frames {
        let Step::Answer(answer) = model.step(frame) else { panic!("a whole frame is answered") };
        at += answer.check(&answers[at..], at as u64);
    }
    input.extend(frames.concat());
    expected.extend(answers);
    for seed in 0..200 {
        let mut output = Vec::new();
        let reads = Fitful { inner: &input[..], random: Random::new(seed) };
        serve(reads, Fitful { inner: &mut output, random: Random::new(!seed) }, &LIMITS).unwrap();
        assert!(output == expected, "seed {seed}");
    }
}

#[test]
fn a_read_that_fails_says_where() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable was cut"))
        }
    }
    let (request, _) = pair(2, 2);
    let error = serve((&request[..30]).chain(Broken), io::sink(), &LIMITS).unwrap_err();
    assert_eq!(error.to_string(), "request 1 at byte 30: expected to read the input, got: the cable was cut");
}

#[test]
fn a_write_that_takes_nothing_is_an_error_and_not_a_loop() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = serve(&pair(1, 1).0[..], Full, &LIMITS).unwrap_err();
    assert!(matches!(error.cause, Cause::Unwritable(_)), "{error}");
}

/// A handler without SA_RESTART makes the kernel return EINTR from reads and writes of real pipes.
#[test]
fn interrupted_system_calls_are_tried_again() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn handler(_: i32) {
        HANDLED.fetch_add(1, Ordering::Relaxed);
    }
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler touches an atomic only; no other test of this program uses the signal.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();

    let (request, response) = pair(150, 100);
    let ((input, to_server), (from_server, output)) =
        (pipe2(OFlag::O_CLOEXEC).unwrap(), pipe2(OFlag::O_CLOEXEC).unwrap());
    let server =
        thread::spawn(move || serve(Input::new(input), Output::new(output), &LIMITS).map_err(|e| e.to_string()));
    let target = server.as_pthread_t();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                pthread_kill(target, Signal::SIGUSR1).unwrap();
                thread::sleep(Duration::from_micros(20));
            }
        });
        let mut to_server = std::fs::File::from(to_server);
        let mut from_server = std::fs::File::from(from_server.as_fd().try_clone_to_owned().unwrap());
        for _ in 0..20 {
            // Byte by byte at first: the server waits in a read most of the time.
            for byte in &request[..100] {
                to_server.write_all(&[*byte]).unwrap();
                thread::sleep(Duration::from_micros(20));
            }
            to_server.write_all(&request[100..]).unwrap();
            let mut got = vec![0; response.len()];
            thread::sleep(Duration::from_millis(1));
            from_server.read_exact(&mut got).unwrap();
            assert!(got == response);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(server.join().unwrap(), Ok(()));
    assert!(HANDLED.load(Ordering::Relaxed) > 100);
}
