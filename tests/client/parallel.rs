//! Many threads on one client, and on a pool.

use std::collections::HashSet;
use std::process::ExitStatus;
use std::thread;

use nalgebra::DMatrix;
use nix::sys::signal::Signal;
use recfact::client::{Client, Error, Pool};
use recfact::{Lu, Options};

use crate::harness::*;

#[test]
fn clients_and_pools_may_be_shared_and_sent() {
    fn shared<T: Send + Sync>() {}
    shared::<Client>();
    shared::<Pool>();
    shared::<Error>();
}

/// Calls from eight threads, of all sizes.
fn hammer(lu: impl Fn(&DMatrix<f64>) -> Result<Lu<f64>, Error> + Sync) {
    thread::scope(|scope| {
        for thread in 0..8 {
            let lu = &lu;
            scope.spawn(move || {
                for round in 0..25 {
                    let n = [1, 7, 30, 120][round % 4] + thread;
                    let a = random(n, n);
                    assert_eq!(lu(&a).unwrap(), Lu::new(a, &Options::default()).unwrap());
                }
            });
        }
    });
}

#[test]
fn eight_threads_take_turns_on_one_client() {
    let client = client();
    let server = client.server_id();
    hammer(|a| client.lu(a, &Options::default()));
    assert_eq!(client.server_id(), server, "one server has done it all");
    assert!(client.close().unwrap().unwrap().success());
}

#[test]
fn a_pool_serves_more_callers_than_it_has_servers() {
    let pool = builder().pool(3);
    assert_eq!(pool.size(), 3);
    hammer(|a| pool.lu(a, &Options::default()));
    let ends = pool.close().unwrap();
    assert!((1..=3).contains(&ends.len()) && ends.iter().all(ExitStatus::success), "{ends:?}");
}

#[test]
fn a_pool_starts_a_server_only_where_none_is_free() {
    let pool = builder().pool(4);
    let (mut a, mut ipiv) = (small().0, [0; 5]);
    for _ in 0..10 {
        pool.lu_in_place(&mut a, &mut ipiv, &Options::default()).unwrap();
    }
    assert_eq!(pool.close().unwrap().len(), 1, "one caller needs one server");
    assert!(builder().pool(4).close().unwrap().is_empty(), "none is started before it is needed");
    assert_eq!(builder().pool(0).size(), 1);
}

#[test]
fn calls_of_a_pool_run_at_the_same_time() {
    // Each server answers once the other one has been asked, too.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let meet = format!(
        "head -c 17 >/dev/null; : >{path}/$$; while [ $(ls {path} | wc -l) -lt 2 ]; do sleep 0.01; done; \
         head -c 8 /dev/zero; exec cat"
    );
    let pool = script(&meet).pool(2);
    thread::scope(|scope| {
        let call = || pool.lu(&DMatrix::<f64>::zeros(0, 0), &Options::default()).unwrap();
        scope.spawn(call);
        scope.spawn(call);
    });
}

#[test]
fn a_server_of_a_pool_that_fails_is_replaced_and_its_place_is_free_again() {
    let pool = script("exit 3").pool(2);
    for _ in 0..5 {
        let error = pool.lu(&small().0, &Options::default()).unwrap_err();
        assert_eq!(error.exit_code(), Some(3), "{error}");
    }
}

#[test]
fn a_pool_that_may_not_restart_goes_on_with_the_servers_that_are_left() {
    if alone("parallel::a_pool_that_may_not_restart_goes_on_with_the_servers_that_are_left").is_some() {
        return;
    }
    let pool = builder().restart(false).pool(2);
    let (a, expected) = small();
    let lu = || pool.lu(&a, &Options::default());
    for _ in 0..2 {
        assert_eq!(lu().unwrap(), expected);
        let running = children();
        assert_eq!(running.len(), 1, "the one that was killed has been waited for: {running:?}");
        murder(running[0]);
        assert!(matches!(lu(), Err(Error::Died { .. })));
    }
    for _ in 0..2 {
        assert!(matches!(lu(), Err(Error::Gone)));
    }
    assert!(pool.close().unwrap().is_empty());
}

#[test]
fn who_waits_for_the_last_server_of_a_pool_hears_that_it_is_gone() {
    // It never answers.
    let pool = script("exec sleep 1000").restart(false).timeout(std::time::Duration::from_millis(300)).pool(1);
    let call = || pool.lu(&small().0, &Options::default()).unwrap_err();
    let errors = thread::scope(|scope| [scope.spawn(call), scope.spawn(call)].map(|call| call.join().unwrap()));
    assert!(errors.iter().any(|error| matches!(error, Error::TimedOut { .. })), "{errors:?}");
    assert!(errors.iter().any(|error| matches!(error, Error::Gone)), "{errors:?}");
}

#[test]
fn a_dropped_pool_leaves_no_process_whatever_its_servers_do() {
    if alone("parallel::a_dropped_pool_leaves_no_process_whatever_its_servers_do").is_some() {
        return;
    }
    let pool = builder().pool(3);
    let all = std::sync::Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                all.wait();
                (0..20).for_each(|_| drop(pool.lu(&random::<f64>(200, 200), &Options::default()).unwrap()));
            });
        }
    });
    let servers = children();
    assert!(!servers.is_empty());
    servers.iter().for_each(|&server| signal(server, Signal::SIGSTOP));
    drop(pool);
    assert!(servers.iter().all(|&server| state(server).is_none()));
}

#[test]
fn a_slow_call_does_not_hold_the_others_of_a_pool() {
    let client = client();
    let server = client.server_id().unwrap();
    signal(server, Signal::SIGSTOP);
    let pool = builder().pool(2);
    thread::scope(|scope| {
        scope.spawn(|| assert!(works(&client)));
        hammer(|a| pool.lu(a, &Options::default()));
        signal(server, Signal::SIGCONT);
    });
}

#[test]
fn calls_on_different_clients_have_different_servers() {
    let clients: Vec<Client> = (0..4).map(|_| client()).collect();
    let servers: HashSet<_> = clients.iter().filter_map(Client::server_id).collect();
    assert_eq!(servers.len(), 4);
    assert!(clients.iter().all(works));
}
