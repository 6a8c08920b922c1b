//! Signals, and descriptors that do not block.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, signal};
use nix::unistd::pipe2;
use testing::{Kind, matrix};

use crate::harness::*;

/// The signals that end a session, and the status that they end it with.
fn ending() -> [(Signal, i32); 2] {
    // Tests that run as a shell's background job come with SIGINT ignored, and would hand that down.
    // SAFETY: the default action runs no code of ours.
    unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }.unwrap();
    [(Signal::SIGTERM, 128 + 15), (Signal::SIGINT, 128 + 2)]
}

fn pause() {
    sleep(Duration::from_millis(50));
}

/// A request whose response is larger than a pipe, which the server lets hold 1 MiB.
fn large() -> (Vec<u8>, Vec<u8>) {
    let a: Vec<f64> = matrix(Kind::Uniform, 600, 400, 1);
    (request(0, 600, 400, &a), expected(0, 600, 400, &a))
}

/// A server that has answered one request, so that it has installed what it installs.
fn ready(command: &mut Command) -> Server {
    let mut server = Server::spawn(command);
    server.send(&header(0, 0, 0));
    assert_eq!(server.receive(8), [0; 8]);
    server
}

#[test]
fn a_signal_between_requests_ends_the_session_in_silence() {
    for (signal, code) in ending() {
        let server = ready(&mut command(&[]));
        kill(server.pid(), signal).unwrap();
        let (status, stderr) = server.wait();
        assert_eq!((status.code(), &stderr[..]), (Some(code), ""));
    }
}

/// Helper threads take no signal: one that they took would not wake the thread that reads.
#[test]
fn a_signal_ends_a_session_that_has_helper_threads() {
    let a: Vec<f64> = matrix(Kind::Uniform, 200, 200, 1);
    for (signal, code) in ending() {
        for _ in 0..5 {
            let mut server = Server::start(&["--threads", "2"]);
            server.ask(&request(2, 200, 200, &a), 8 + 8 * 200 * 200 + 8 * 200);
            kill(server.pid(), signal).unwrap();
            assert_eq!(server.wait().0.code(), Some(code));
        }
    }
}

#[test]
fn a_signal_while_half_a_request_is_there_ends_the_session() {
    let (request, _) = large();
    for got in [1, 10, 17, 100_000] {
        let mut server = ready(&mut command(&[]));
        server.send(&request[..got]);
        pause();
        kill(server.pid(), Signal::SIGTERM).unwrap();
        assert_eq!(server.wait().0.code(), Some(128 + 15));
    }
}

#[test]
fn a_request_that_was_read_is_answered_before_a_signal_ends_the_session() {
    let (request, response) = large();
    for (signal, code) in ending() {
        let mut server = ready(&mut command(&[]));
        server.send(&request);
        // The first bytes of the response are there: the server is about to wait for us to take the others.
        let mut got = server.receive(8);
        pause();
        kill(server.pid(), signal).unwrap();
        pause();
        got.extend(server.receive(response.len() - 8));
        assert!(got == response);
        assert_eq!(server.wait().0.code(), Some(code));
    }
}

#[test]
fn a_second_signal_does_not_wait_for_a_client_that_takes_nothing() {
    let (request, _) = large();
    let mut server = ready(&mut command(&[]));
    server.send(&request);
    server.receive(8);
    pause();
    kill(server.pid(), Signal::SIGTERM).unwrap();
    pause();
    assert!(server.child.try_wait().unwrap().is_none(), "one signal lets the response be taken");
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.wait().0.code(), Some(128 + 15));
}

#[test]
fn a_parent_that_blocks_signals_while_it_spawns_does_not_make_the_server_immortal() {
    let mut blocked = command(&[]);
    // SAFETY: the closure only calls sigprocmask, which may be called between fork and exec.
    unsafe {
        blocked.pre_exec(|| Ok(SigSet::all().thread_block()?));
    }
    let server = ready(&mut blocked);
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.wait().0.code(), Some(128 + 15));
}

#[test]
fn an_interrupt_that_the_parent_ignores_stays_ignored() {
    let script = format!("trap '' INT; exec {}", executable().display());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = ready(&mut shell);
    kill(server.pid(), Signal::SIGINT).unwrap();
    pause();
    server.send(&header(0, 0, 0));
    assert_eq!(server.receive(8), [0; 8]);
    assert!(server.finish().0.success());
}

/// Stops, continuations and signals of no consequence, hundreds of them while large requests go to and fro.
#[test]
fn a_storm_of_signals_changes_nothing() {
    let (request, response) = large();
    let mut server = ready(&mut command(&[]));
    let pid = server.pid();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                for signal in [Signal::SIGWINCH, Signal::SIGCHLD, Signal::SIGURG, Signal::SIGSTOP, Signal::SIGCONT] {
                    let _ = kill(pid, signal);
                }
                sleep(Duration::from_micros(100));
            }
        });
        for _ in 0..50 {
            assert!(server.ask(&request, response.len()) == response);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let _ = kill(pid, Signal::SIGCONT);
    assert!(server.finish().0.success());
}

fn set_nonblocking(fd: impl AsFd) {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL).unwrap());
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).unwrap();
}

fn is_nonblocking(fd: impl AsFd) -> bool {
    OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL).unwrap()).contains(OFlag::O_NONBLOCK)
}

/// A server on pipes whose ends this test shares with it, both set not to block before it starts.
fn shared_pipes() -> (Server, OwnedFd, OwnedFd) {
    let ((their_in, our_out), (our_in, their_out)) =
        (pipe2(OFlag::O_CLOEXEC).unwrap(), pipe2(OFlag::O_CLOEXEC).unwrap());
    set_nonblocking(&their_in);
    set_nonblocking(&their_out);
    let shared = (their_in.try_clone().unwrap(), their_out.try_clone().unwrap());
    let mut server = Server::spawn(command(&[]).stdin(their_in).stdout(their_out));
    server.stdin = Some(our_out.into());
    server.stdout = Some(our_in.into());
    (server, shared.0, shared.1)
}

#[test]
fn descriptors_that_do_not_block_are_made_to_at_the_start() {
    let (mut server, their_in, their_out) = shared_pipes();
    let (request, response) = large();
    assert!(server.ask(&request, response.len()) == response);
    assert!(!is_nonblocking(&their_in) && !is_nonblocking(&their_out));
    drop(their_in);
    assert!(server.finish().0.success());
}

#[test]
fn a_flag_set_in_mid_session_is_waited_out_without_spinning() {
    let (mut server, their_in, their_out) = shared_pipes();
    let (request, response) = large();
    assert!(server.ask(&request, response.len()) == response);
    // The event loop of the parent, or of whoever else holds the pipe, sets the flag again.
    set_nonblocking(&their_in);
    set_nonblocking(&their_out);
    assert!(server.ask(&request, response.len()) == response);
    let before = server.cpu_ticks();
    // Half a second without input, and another one with nobody who takes the response.
    sleep(Duration::from_millis(500));
    server.send(&request);
    sleep(Duration::from_millis(500));
    let ticks = server.cpu_ticks() - before;
    assert!(ticks < 25, "{ticks} ticks of 10 ms in a second of waiting");
    assert!(server.receive(response.len()) == response);
    assert!(is_nonblocking(&their_in) && is_nonblocking(&their_out));
    drop(their_in);
    assert!(server.finish().0.success());
}

/// Whatever a library prints on descriptor 1 must not reach the client.
#[test]
fn descriptor_1_is_stderr_while_the_server_serves() {
    let mut server = ready(&mut command(&[]));
    let link = |fd: u32| fs::read_link(format!("/proc/{}/fd/{fd}", server.child.id())).unwrap();
    assert_eq!(link(1), link(2));
    server.send(&header(0, 0, 0));
    assert_eq!(server.receive(8), [0; 8]);
    assert!(server.finish().0.success());
}
