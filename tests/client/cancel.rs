//! Calls that another thread cancels: at any moment, with both transports, and never the wrong call.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use nalgebra::DMatrix;
use nix::sys::signal::Signal;
use recfact::client::{Builder, Client, Error, Transport};
use recfact::{Lu, Options};
use testing::Random;

use crate::harness::*;

/// Takes about a second without vectors, on one thread.
const N: usize = 1200;

/// Servers that take long for a matrix of order [`N`], with mapped memory and without.
fn slow() -> [Builder; 2] {
    [true, false].map(|mapped| builder_on("portable").mapped(mapped))
}

/// A call that is to be cancelled: if it is, nothing has been written; if its result came first, that is right.
fn call(client: &Client, a: &DMatrix<f64>, expected: &Lu<f64>) -> Result<(), Error> {
    let (mut place, mut ipiv) = (a.clone(), vec![-7; a.ncols()]);
    let result = client.lu_in_place(&mut place, &mut ipiv, &Options::default());
    match result {
        Ok(info) => {
            let factors = Lu::from_parts(place, ipiv, info).unwrap();
            assert!(factors == *expected);
            Ok(())
        }
        Err(error) => {
            assert!(place == *a && ipiv.iter().all(|&row| row == -7), "{error}");
            Err(error)
        }
    }
}

fn is_cancelled<R>(result: Result<R, Error>) -> bool {
    matches!(result, Err(Error::Cancelled))
}

/// A matrix of order [`N`] and its factors.
fn long() -> (DMatrix<f64>, Lu<f64>) {
    let a = random(N, N);
    (a.clone(), Lu::new(a, &Options::default()).unwrap())
}

/// Waits until a call is under way, and cancels it at its very beginning.
fn cancel_at_once(client: &Client) {
    eventually("a call is under way", || client.cancel());
}

#[test]
fn a_call_that_is_cancelled_at_any_moment_writes_nothing_and_the_next_one_is_right() {
    let (a, expected) = long();
    let mut random = Random::new(5);
    for builder in slow() {
        let client = builder.spawn().unwrap();
        assert!(works(&client));
        let (server, transport) = (client.server_id(), client.transport());
        let mut cancelled = 0;
        for _ in 0..8 {
            let pause = Duration::from_millis(random.below(400) as u64);
            thread::scope(|scope| {
                let call = scope.spawn(|| call(&client, &a, &expected));
                sleep(pause);
                client.cancel();
                match call.join().unwrap() {
                    Ok(()) => {}
                    Err(Error::Cancelled) => cancelled += 1,
                    Err(error) => panic!("{error}"),
                }
            });
            assert!(works(&client));
        }
        assert!(cancelled >= 2, "{cancelled} of 8 were cancelled");
        assert_eq!((client.server_id(), client.transport()), (server, transport));
        assert!(call(&client, &a, &expected).is_ok());
    }
}

#[test]
fn a_call_is_cancelled_while_its_matrix_is_on_its_way_and_its_server_has_just_been_started() {
    let (a, expected) = long();
    for builder in slow() {
        for _ in 0..8 {
            let client = builder.clone().spawn().unwrap();
            let server = client.server_id();
            thread::scope(|scope| {
                scope.spawn(|| cancel_at_once(&client));
                assert!(is_cancelled(call(&client, &a, &expected)));
            });
            assert!(works(&client));
            assert_eq!(client.server_id(), server, "it lives on");
        }
    }
}

#[test]
fn without_a_call_nothing_is_cancelled() {
    for builder in slow() {
        let client = builder.spawn().unwrap();
        let server = client.server_id();
        for _ in 0..3 {
            assert!(!client.cancel());
            assert!(works(&client));
        }
        murder(server.unwrap());
        assert!(!client.cancel());
        assert!(works(&client));
    }
    assert_eq!(builder().pool(2).cancel(), 0);
}

#[test]
fn many_threads_cancel_one_call_and_not_the_next_one() {
    let (a, _) = long();
    let (next, expected) = (random(500, 500), Lu::new(random(500, 500), &Options::default()).unwrap());
    for builder in slow() {
        let client = builder.spawn().unwrap();
        let server = client.server_id().unwrap();
        for _ in 0..4 {
            assert!(works(&client));
            // The call does not end before all threads have seen it.
            signal(server, Signal::SIGSTOP);
            let running = AtomicUsize::new(0);
            thread::scope(|scope| {
                scope.spawn(|| {
                    assert!(is_cancelled(client.lu(&a, &Options::default())));
                    call(&client, &next, &expected).unwrap();
                });
                for _ in 0..8 {
                    scope.spawn(|| {
                        running.fetch_add(1, Ordering::SeqCst);
                        cancel_at_once(&client);
                    });
                }
                eventually("all threads run", || running.load(Ordering::SeqCst) == 8);
                sleep(Duration::from_millis(200));
                signal(server, Signal::SIGCONT);
            });
            assert_eq!(client.server_id(), Some(server));
        }
    }
}

#[test]
fn calls_that_wait_for_the_cancelled_one_are_right() {
    let (a, expected) = long();
    for builder in slow() {
        let client = builder.spawn().unwrap();
        thread::scope(|scope| {
            let call = scope.spawn(|| call(&client, &a, &expected));
            sleep(Duration::from_millis(50));
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| works(&client))).collect();
            sleep(Duration::from_millis(50));
            client.cancel();
            assert!(waiting.into_iter().all(|call| call.join().unwrap()));
            assert!(matches!(call.join().unwrap(), Ok(()) | Err(Error::Cancelled)));
        });
    }
}

#[test]
fn a_pool_cancels_all_of_its_calls() {
    let (a, expected) = long();
    for builder in slow() {
        let pool = builder.pool(3);
        let begin = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    begin.wait();
                    assert!(is_cancelled(pool.lu(&a, &Options::default())));
                });
            }
            begin.wait();
            let mut count = 0;
            while count < 2 {
                count += pool.cancel();
            }
        });
        assert_eq!(pool.lu(&a, &Options::default()).unwrap(), expected);
    }
}

#[test]
fn a_server_that_does_not_know_the_signal_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("started");
    let mark = mark.display();
    // The first one reads the beginning of a request and never answers.
    let old = format!("[ -e {mark} ] && exec {EXECUTABLE}; : >{mark}; head -c 17 >/dev/null; exec sleep 1000");
    let (a, expected) = small();
    for restart in [true, false] {
        let _ = std::fs::remove_file(folder.path().join("started"));
        let client = script(&old).restart(restart).spawn().unwrap();
        let server = client.server_id().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| cancel_at_once(&client));
            assert!(is_cancelled(call(&client, &a, &expected)));
        });
        assert_eq!((state(server), client.server_id()), (None, None));
        assert_eq!(works(&client), restart);
    }
}

#[test]
fn a_signal_from_elsewhere_cancels_as_well() {
    let (a, expected) = long();
    for builder in slow() {
        let client = builder.spawn().unwrap();
        assert!(works(&client));
        let server = client.server_id().unwrap();
        thread::scope(|scope| {
            let call = scope.spawn(|| call(&client, &a, &expected));
            while !call.is_finished() {
                signal(server, Signal::SIGUSR1);
                sleep(Duration::from_millis(10));
            }
            assert!(is_cancelled(call.join().unwrap()));
        });
        assert!(works(&client));
    }
}

#[test]
fn a_forked_child_cancels_no_call_of_its_parent() {
    if alone("cancel::a_forked_child_cancels_no_call_of_its_parent").is_some() {
        return;
    }
    let (a, expected) = long();
    let client = builder_on("portable").spawn().unwrap();
    assert!(works(&client));
    thread::scope(|scope| {
        let call = scope.spawn(|| call(&client, &a, &expected));
        sleep(Duration::from_millis(100));
        in_a_child(|| !client.cancel());
        assert!(call.join().unwrap().is_ok());
    });
    assert_eq!(client.transport(), Transport::Mapped);
}
