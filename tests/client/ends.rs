//! How servers end: by `close`, by `Drop`, adopted or not; none is left, and no descriptor.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use recfact::Options;
use recfact::client::{Client, Error};

use crate::harness::*;

#[test]
fn close_ends_the_session_and_returns_the_status() {
    let client = client();
    assert!(works(&client));
    let server = client.server_id().unwrap();
    assert!(client.close().unwrap().unwrap().success());
    assert_eq!(state(server), None);

    // One that died meanwhile tells how.
    let client = self::client();
    murder(client.server_id().unwrap());
    assert_eq!(client.close().unwrap().unwrap().signal(), Some(9));

    // After a failed call there is none.
    let client = script("exit 3").spawn().unwrap();
    assert!(!works(&client));
    assert_eq!(client.close().unwrap(), None);
}

#[test]
fn the_exit_command_ends_a_server_whose_pipe_is_open_elsewhere() {
    // What a fork without exec does: somebody else holds the writing end.
    let child = child();
    let stdin = child.stdin.as_ref().unwrap();
    let copy = std::os::fd::AsFd::as_fd(stdin).try_clone_to_owned().unwrap();
    let client = Client::adopt(child).unwrap();
    assert!(works(&client));
    assert!(client.close().unwrap().unwrap().success());
    drop(copy);
}

#[test]
fn a_server_that_does_not_end_is_killed() {
    for body in ["trap '' TERM HUP PIPE; while :; do sleep 0.1; done", "exec yes"] {
        let client = script(body).spawn().unwrap();
        let server = client.server_id().unwrap();
        thread::sleep(Duration::from_millis(50));
        let status = client.close().unwrap().unwrap();
        assert!(status.signal().is_some(), "{body}: {status}");
        assert_eq!(state(server), None);
    }
}

#[test]
fn a_dropped_client_leaves_no_process() {
    let client = client();
    let server = client.server_id().unwrap();
    drop(client);
    assert_eq!(state(server), None);

    let client = script("exec sleep 1000").spawn().unwrap();
    let server = client.server_id().unwrap();
    let start = Instant::now();
    drop(client);
    assert_eq!(state(server), None);
    assert!(start.elapsed() < Duration::from_secs(60), "it is not waited for");

    let stopped = self::client();
    let server = stopped.server_id().unwrap();
    signal(server, Signal::SIGSTOP);
    drop(stopped);
    assert_eq!(state(server), None);
}

#[test]
fn a_client_dropped_by_a_panic_leaves_no_process() {
    let (send, receive) = std::sync::mpsc::channel();
    let result = thread::spawn(move || {
        let client = client();
        send.send(client.server_id().unwrap()).unwrap();
        assert!(!works(&client), "this must fail, and the client be dropped");
    });
    let server = receive.recv().unwrap();
    assert!(result.join().is_err());
    assert_eq!(state(server), None);
}

#[test]
fn three_hundred_servers_leave_no_zombie_and_no_descriptor() {
    if alone("ends::three_hundred_servers_leave_no_zombie_and_no_descriptor").is_some() {
        return;
    }
    let before = possessions();
    let dying = script("exit 3").spawn().unwrap();
    for round in 0..100 {
        let client = client();
        assert!(round % 10 != 0 || works(&client));
        assert!(client.close().unwrap().unwrap().success());
        drop(builder().adopt(child()).unwrap());
        assert!(!works(&dying));
    }
    drop(dying);
    assert_eq!(possessions(), before);
}

#[test]
fn an_adopted_server_is_used_and_ended_like_any_other() {
    let child = child();
    let server = child.id();
    let client = Client::adopt(child).unwrap();
    assert_eq!(client.server_id(), Some(server));
    assert!(works(&client));
    assert!(client.close().unwrap().unwrap().success());
    assert_eq!(state(server), None);
}

#[test]
fn an_adopted_server_that_died_is_an_error_and_then_gone() {
    let child = child();
    let server = child.id();
    let client = Client::adopt(child).unwrap();
    murder(server);
    let error = client.lu(&small().0, &Options::default()).unwrap_err();
    assert!(matches!(&error, Error::Died { status: Some(status), .. } if status.signal() == Some(9)), "{error}");
    for _ in 0..2 {
        let error = client.lu(&small().0, &Options::default()).unwrap_err();
        assert!(matches!(error, Error::Gone), "{error}");
    }
    assert_eq!(client.close().unwrap(), None);
}

#[test]
fn an_adopted_server_is_replaced_where_the_builder_knows_how() {
    let child = child();
    let server = child.id();
    let client = builder().adopt(child).unwrap();
    murder(server);
    assert!(works(&client));
    assert_ne!(client.server_id(), Some(server));
}

#[test]
fn a_server_may_be_started_once_only() {
    let client = builder().restart(false).spawn().unwrap();
    assert!(works(&client));
    murder(client.server_id().unwrap());
    assert!(matches!(client.lu(&small().0, &Options::default()), Err(Error::Died { .. })));
    assert!(matches!(client.lu(&small().0, &Options::default()), Err(Error::Gone)));
}

#[test]
fn a_child_without_pipes_is_not_adopted_but_ended() {
    let command = |stdin: Stdio, stdout: Stdio| {
        let mut sleeping = Command::new("sleep");
        sleeping.arg("1000").stdin(stdin).stdout(stdout).spawn().unwrap()
    };
    let cases = [(command(Stdio::null(), Stdio::piped()), "stdin"), (command(Stdio::piped(), Stdio::null()), "stdout")];
    for (child, name) in cases {
        let process = child.id();
        let error = Client::adopt(child).unwrap_err();
        assert!(matches!(error, Error::NotPiped { stream } if stream == name), "{error}");
        assert_eq!(state(process), None);
    }
}
