//! The client in processes that do unusual things: fork, let SIGPIPE kill, say where the executable is.

use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::thread;
use std::{env, fs};

use nix::libc;
use nix::sys::signal::{SigHandler, SigSet, Signal, raise, signal as handle};
use nix::unistd::{Pid, close, dup, dup2_stderr, dup2_stdout, getpgid};
use recfact::Options;
use recfact::client::{Builder, Client, Error, Pool};
use tempfile::tempdir;

use crate::harness::*;

#[test]
fn after_a_fork_the_child_has_a_server_of_its_own_and_leaves_the_other_alone() {
    if alone("process::after_a_fork_the_child_has_a_server_of_its_own_and_leaves_the_other_alone").is_some() {
        return;
    }
    let client = client();
    assert!(works(&client));
    let server = client.server_id();
    let (descriptors, _) = possessions();
    in_a_child(|| {
        let own = works(&client) && client.server_id().is_some_and(|own| Some(own) != server);
        // Its pipes have taken the place of the parent's, and it is a child of this process.
        own && possessions() == (descriptors, 1)
    });
    in_a_child(|| client.server_id().is_none());
    assert_eq!(client.server_id(), server);
    assert!(works(&client));
    assert!(client.close().unwrap().unwrap().success(), "nobody has ended it");
}

#[test]
fn a_client_dropped_in_a_forked_child_does_not_end_the_server() {
    if alone("process::a_client_dropped_in_a_forked_child_does_not_end_the_server").is_some() {
        return;
    }
    let mut client = Some(client());
    let server = client.as_ref().and_then(Client::server_id).unwrap();
    let (descriptors, _) = possessions();
    in_a_child(|| {
        client.take();
        possessions().0 == descriptors - 4 && state(server).is_some_and(|state| state != 'Z')
    });
    let client = client.unwrap();
    assert!(works(&client));
    assert_eq!(client.server_id(), Some(server));
}

#[test]
fn a_fork_in_the_middle_of_other_threads_calls_does_not_lock_the_child() {
    if alone("process::a_fork_in_the_middle_of_other_threads_calls_does_not_lock_the_child").is_some() {
        return;
    }
    let (client, pool) = (client(), builder().pool(1));
    let (a, huge) = (small().0, random::<f64>(600, 600));
    let server = client.server_id().unwrap();
    pool.lu(&a, &Options::default()).unwrap();
    signal(server, Signal::SIGSTOP);
    thread::scope(|scope| {
        let call = scope.spawn(|| works(&client));
        let busy = scope.spawn(|| (0..40).all(|_| pool.lu(&huge, &Options::default()).is_ok()));
        thread::sleep(std::time::Duration::from_millis(20));
        in_a_child(|| works(&client) && works_in(&pool));
        signal(server, Signal::SIGCONT);
        assert!(call.join().unwrap() && busy.join().unwrap());
    });
}

fn works_in(pool: &Pool) -> bool {
    let (a, expected) = small();
    pool.lu(&a, &Options::default()).is_ok_and(|lu| lu == expected)
}

#[test]
fn an_adopted_server_belongs_to_the_process_that_adopted_it() {
    if alone("process::an_adopted_server_belongs_to_the_process_that_adopted_it").is_some() {
        return;
    }
    let client = Client::adopt(child()).unwrap();
    in_a_child(|| matches!(client.lu(&small().0, &Options::default()), Err(Error::Gone)));
    assert!(works(&client));
}

#[test]
fn a_program_that_sigpipe_would_kill_lives_and_has_its_mask_back() {
    if alone("process::a_program_that_sigpipe_would_kill_lives_and_has_its_mask_back").is_some() {
        return;
    }
    // SAFETY: it is the default action.
    unsafe { handle(Signal::SIGPIPE, SigHandler::SigDfl) }.unwrap();
    // It reads nothing, so a write must fail.
    let client = script("exec <&-; sleep 0.05; exit 3").spawn().unwrap();
    let error = client.lu(&random::<f64>(300, 300), &Options::default()).unwrap_err();
    assert_eq!(error.exit_code(), Some(3), "{error}");
    assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGPIPE), "the signal is let through again");
    // A server that is dead when it is asked to end.
    let client = self::client();
    murder(client.server_id().unwrap());
    drop(client);
}

#[test]
fn a_sigpipe_that_waits_for_the_program_is_left_to_it() {
    if alone("process::a_sigpipe_that_waits_for_the_program_is_left_to_it").is_some() {
        return;
    }
    // SAFETY: it is the default action.
    unsafe { handle(Signal::SIGPIPE, SigHandler::SigDfl) }.unwrap();
    let mut sigpipe = SigSet::empty();
    sigpipe.add(Signal::SIGPIPE);
    sigpipe.thread_block().unwrap();
    raise(Signal::SIGPIPE).unwrap();
    assert!(works(&client()));
    assert_eq!(sigpipe.wait().unwrap(), Signal::SIGPIPE, "it is still there: this would wait for ever");
}

#[test]
fn ctrl_c_is_for_the_program() {
    let client = client();
    let server = Pid::from_raw(client.server_id().unwrap() as i32);
    assert_eq!(getpgid(Some(server)).unwrap(), server, "a group of its own");
}

#[test]
fn the_pipes_are_not_what_the_program_prints_to() {
    if alone("process::the_pipes_are_not_what_the_program_prints_to").is_some() {
        return;
    }
    let [out, err] = [dup(std::io::stdout()).unwrap(), dup(std::io::stderr()).unwrap()];
    (0..3).for_each(|fd| close(fd).unwrap());
    let client = client();
    // SAFETY: bytes that live through the call; where the descriptor is closed nothing is written.
    let heard = (0..3).any(|fd| unsafe { libc::write(fd, b"noise".as_ptr().cast(), 5) } >= 0);
    let works = works(&client);
    dup2_stdout(out).unwrap();
    dup2_stderr(err).unwrap();
    assert!(works && !heard);
}

#[test]
fn where_the_system_waits_for_children_itself_a_death_has_no_status() {
    if alone("process::where_the_system_waits_for_children_itself_a_death_has_no_status").is_some() {
        return;
    }
    // SAFETY: no handler is set.
    unsafe { handle(Signal::SIGCHLD, SigHandler::SigIgn) }.unwrap();
    let client = script("echo why >&2; exit 3").spawn().unwrap();
    let error = client.lu(&small().0, &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Died { status: None, .. }), "{error}");
    assert_eq!(error.stderr_line(), Some("why"));
    let client = self::client();
    assert!(works(&client));
    assert!(matches!(client.close(), Err(Error::Io { .. })));
}

/// What the default place of the executable leads to.
fn found() -> Result<bool, String> {
    Builder::new().spawn().map(|client| works(&client)).map_err(|error| error.to_string())
}

/// Sets an environment variable, in a process that a test has for itself.
fn set(name: &str, value: impl AsRef<OsStr>) {
    // SAFETY: no other thread of the process reads or writes the environment now.
    unsafe { env::set_var(name, value) };
}

#[test]
fn the_executable_is_looked_for_in_the_environment_and_then_in_the_path() {
    if alone("process::the_executable_is_looked_for_in_the_environment_and_then_in_the_path").is_some() {
        return;
    }
    let folder = tempdir().unwrap();
    set("RECFACT_SERVER", EXECUTABLE);
    assert_eq!(found(), Ok(true));
    set("RECFACT_SERVER", folder.path().join("nowhere"));
    assert!(found().is_err_and(|error| error.contains("nowhere")), "what was named is not looked for elsewhere");
    set("RECFACT_SERVER", "");
    set("PATH", folder.path());
    assert!(found().is_err(), "nothing is in the path yet");
    symlink(EXECUTABLE, folder.path().join("recfact_server")).unwrap();
    assert_eq!(found(), Ok(true));
}

#[test]
fn an_executable_beside_the_program_is_found() {
    let folder = tempdir().unwrap();
    let copy = || {
        let program = folder.path().join("program");
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        symlink(EXECUTABLE, folder.path().join("recfact_server")).unwrap();
        Command::new(program)
    };
    if alone_as("process::an_executable_beside_the_program_is_found", copy).is_some() {
        return;
    }
    set("RECFACT_SERVER", "");
    set("PATH", "");
    assert_eq!(found(), Ok(true));
}
