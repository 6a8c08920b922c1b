//! Kept factors while servers die, processes fork and threads share them.

use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::Duration;

use nalgebra::{DMatrix, DVector};
use nix::sys::signal::Signal;
use recfact::client::{Builder, Client, Error, KeptLu};
use recfact::{Lu, Options};

use crate::harness::*;

/// Bytes that the factors of [`small`] count for.
const SMALL_BYTES: usize = 5 * 5 * 8 + 5 * 8 + 256;

/// A client whose server can keep the factors of `count` small matrices, and no more.
fn client_for(count: usize) -> Client {
    builder().args(["--keep-bytes", &(count * SMALL_BYTES).to_string()]).spawn().unwrap()
}

fn keep(client: &Client) -> Result<KeptLu<'_, f64>, Error> {
    client.factor(&small().0, &Options::default())
}

fn right_hand_side() -> DVector<f64> {
    DVector::from_column_slice(random::<f64>(5, 1).as_slice())
}

/// Whether kept factors of [`small`] solve as they should.
fn solves(kept: &KeptLu<'_, f64>) -> bool {
    let b = right_hand_side();
    kept.solve(&b).is_ok_and(|x| x == small().1.solve(&b).unwrap())
}

/// Whether every call of these factors says that they are lost.
fn is_lost(kept: &KeptLu<'_, f64>) -> bool {
    let lost = |error: Option<Error>| matches!(error, Some(Error::FactorsLost));
    lost(kept.solve(&right_hand_side()).err()) && lost(kept.determinant().err()) && lost(kept.inverse().err())
}

#[test]
fn kept_factors_may_be_shared_and_sent() {
    fn shared<T: Send + Sync>() {}
    shared::<KeptLu<'_, f32>>();
}

#[test]
fn a_server_without_room_says_so_and_dropped_factors_make_room() {
    let client = client_for(2);
    let (server, first, second) = (client.server_id(), keep(&client).unwrap(), keep(&client).unwrap());
    let error = keep(&client).unwrap_err();
    assert!(matches!(&error, Error::Refused { code: 12, message: Some(_), .. }), "{error}");
    assert!(error.to_string().contains("--keep-bytes"), "{error}");
    drop(first);
    let third = keep(&client).unwrap();
    assert!(solves(&second) && solves(&third) && keep(&client).is_err());
    second.release().unwrap();
    assert!(keep(&client).is_ok() && solves(&third));
    assert_eq!(client.server_id(), server);
}

#[test]
fn thousands_of_factors_come_and_go() {
    let client = client_for(1);
    (0..3000).for_each(|_| drop(keep(&client).unwrap()));
    let client = client_for(3000);
    let all: Vec<_> = (0..3000).map(|_| keep(&client).unwrap()).collect();
    assert!(keep(&client).is_err() && solves(&all[0]) && solves(&all[2999]));
    drop(all);
    let again: Vec<_> = (0..3000).map(|_| keep(&client).unwrap()).collect();
    assert!(solves(&again[1234]));
}

#[test]
fn factors_of_a_server_that_has_ended_are_lost_whatever_handle_the_next_one_gives() {
    for mapped in [true, false] {
        let client = builder().mapped(mapped).spawn().unwrap();
        let mut lost = Vec::new();
        for _ in 0..3 {
            let kept = keep(&client).unwrap();
            assert!(solves(&kept));
            murder(client.server_id().unwrap());
            assert!(is_lost(&kept));
            assert_eq!(client.server_id(), None, "no server is started for it");
            lost.push(kept);
        }
        // Its handle is that of the others.
        let other = client.factor(&DMatrix::<f64>::identity(5, 5), &Options::default()).unwrap();
        assert!(lost.iter().all(is_lost));
        let error = lost[0].solve(&right_hand_side()).unwrap_err();
        assert!(error.to_string().contains("factor the matrix again"), "{error}");
        lost.pop().unwrap().release().unwrap();
        drop(lost);
        assert_eq!(other.solve(&right_hand_side()).unwrap(), right_hand_side(), "theirs is not forgotten");
    }
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_call_is_an_error_and_then_the_factors_are_lost() {
    let client = client();
    let kept = keep(&client).unwrap();
    let server = client.server_id().unwrap();
    signal(server, Signal::SIGSTOP);
    let error = thread::scope(|scope| {
        let call = scope.spawn(|| kept.solve(&right_hand_side()).unwrap_err());
        thread::sleep(Duration::from_millis(30));
        signal(server, Signal::SIGKILL);
        call.join().unwrap()
    });
    assert!(matches!(&error, Error::Died { status: Some(status), .. } if status.signal() == Some(9)), "{error}");
    assert!(is_lost(&kept) && works(&client) && is_lost(&kept));
    assert!(solves(&keep(&client).unwrap()));
}

#[test]
fn a_client_that_may_not_restart_says_how_its_server_ended_and_then_that_the_factors_are_lost() {
    let client = builder().restart(false).spawn().unwrap();
    let kept = keep(&client).unwrap();
    murder(client.server_id().unwrap());
    assert!(matches!(kept.solve(&right_hand_side()), Err(Error::Died { .. })));
    assert!(is_lost(&kept));
    assert!(matches!(keep(&client), Err(Error::Gone)));
}

#[test]
fn a_call_with_kept_factors_is_timed_out() {
    let client = builder().timeout(Duration::from_millis(500)).spawn().unwrap();
    let kept = keep(&client).unwrap();
    signal(client.server_id().unwrap(), Signal::SIGSTOP);
    assert!(matches!(kept.determinant(), Err(Error::TimedOut { .. })));
    assert!(is_lost(&kept));
}

#[test]
fn dropping_waits_for_no_server() {
    let client = client_for(1);
    let (kept, server) = (keep(&client).unwrap(), client.server_id().unwrap());
    signal(server, Signal::SIGSTOP);
    thread::scope(|scope| {
        let call = scope.spawn(|| works(&client));
        // While another thread's call is under way, or before: neither waits.
        thread::sleep(Duration::from_millis(20));
        drop(kept);
        assert!(!call.is_finished());
        signal(server, Signal::SIGCONT);
        assert!(call.join().unwrap());
    });
    assert!(keep(&client).is_ok());
}

#[test]
fn after_a_fork_the_factors_are_the_parents() {
    if alone("kept::after_a_fork_the_factors_are_the_parents").is_some() {
        return;
    }
    let client = client_for(1);
    let mut kept = Some(keep(&client).unwrap());
    in_a_child(|| {
        let lost = is_lost(kept.as_ref().unwrap()) && client.server_id().is_none();
        let own = keep(&client).unwrap();
        let lost = lost && solves(&own) && is_lost(kept.as_ref().unwrap());
        // The child's server gives the same handle, and forgets nothing for this.
        kept.take();
        lost && solves(&own) && solves(&own)
    });
    in_a_child(|| {
        kept.take();
        works(&client)
    });
    assert!(solves(kept.as_ref().unwrap()) && keep(&client).is_err(), "they are still kept");
}

#[test]
fn a_factorization_to_be_kept_is_cancelled_and_keeps_nothing() {
    let a = random::<f64>(1200, 1200);
    for mapped in [true, false] {
        let limit = (1200 * 1200 * 8 + 1200 * 8 + 256).to_string();
        let builder = builder_on("portable").args(["--keep-bytes", &limit]).mapped(mapped);
        let client = builder.spawn().unwrap();
        assert!(works(&client));
        let server = client.server_id();
        thread::scope(|scope| {
            scope.spawn(|| eventually("a call is under way", || client.cancel()));
            assert!(matches!(client.factor(&a, &Options::default()), Err(Error::Cancelled)));
        });
        let (b, expected) = (random(1200, 1), Lu::new(a.clone(), &Options::default()).unwrap());
        let kept = client.factor(&a, &Options::default()).unwrap();
        assert_eq!(kept.solve(&b).unwrap(), expected.solve(&b).unwrap());
        assert_eq!(client.server_id(), server);
    }
}

#[test]
fn threads_share_factors_and_a_client() {
    let client = client();
    let shared = keep(&client).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let own = keep(&client).unwrap();
                    assert!(solves(&shared) && solves(&own) && works(&client));
                }
            });
        }
    });
}

#[test]
fn factors_of_a_pool_stay_with_the_server_that_has_them() {
    let pool = builder().args(["--keep-bytes", &SMALL_BYTES.to_string()]).pool(3);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let (mut done, a) = (0, small().0);
                while done < 50 {
                    // A server that has no room is not the only one.
                    let Ok(kept) = pool.factor(&a, &Options::default()) else { continue };
                    assert!(solves(&kept) && pool.lu(&a, &Options::default()).is_ok() && solves(&kept));
                    done += 1;
                }
            });
        }
    });
}

#[test]
fn factors_of_a_pool_are_lost_with_their_server_and_the_others_go_on() {
    if alone("kept::factors_of_a_pool_are_lost_with_their_server_and_the_others_go_on").is_some() {
        return;
    }
    for restart in [true, false] {
        let pool = builder().restart(restart).pool(2);
        let kept = pool.factor(&small().0, &Options::default()).unwrap();
        assert!(solves(&kept));
        children().into_iter().for_each(murder);
        assert!(restart || matches!(kept.solve(&right_hand_side()), Err(Error::Died { .. })));
        assert!(is_lost(&kept));
        assert!(pool.lu(&small().0, &Options::default()).is_ok());
        assert!(is_lost(&kept) && solves(&pool.factor(&small().0, &Options::default()).unwrap()));
        assert!(kept.release().is_ok());
    }
}

/// A server of version 1 answers HELLO with a refusal, and ends.
#[test]
fn a_server_without_systems_is_an_error_that_says_so_and_other_calls_go_on() {
    let old = "head -c 1 >/dev/null; printf '\\001\\000\\000\\000\\000\\000\\000\\200'; exit 1";
    for mapped in [true, false] {
        let client = script(old).mapped(mapped).spawn().unwrap();
        for _ in 0..2 {
            let error = keep(&client).unwrap_err();
            assert!(matches!(error, Error::NoSystems), "{error}");
            assert!(error.to_string().contains("update recfact_server"), "{error}");
        }
    }
    // A server of version 2 that has FACTOR, MAP and batches.
    let client = server_with(7, "cat >/dev/null").spawn().unwrap();
    let server = client.server_id();
    assert!((0..2).all(|_| matches!(keep(&client), Err(Error::NoSystems))));
    assert_eq!(client.server_id(), server, "it lives on");
}

/// A script that answers HELLO with these features, and goes on in this way. It is asked through the pipes.
fn server_with(features: u8, rest: &str) -> Builder {
    let (features, max_bytes) = (u64::from(features).to_le_bytes(), (1_u64 << 20).to_le_bytes());
    let hello = [&b"RECFACT\0"[..], &2_u32.to_le_bytes(), &features, &max_bytes, &1_u32.to_le_bytes()].concat();
    let welcome = [&[0; 8], &32_u64.to_le_bytes(), &hello[..]].concat();
    // The shell waits for what comes last, and so keeps stdout open.
    let bytes_of_hello = 13 + concat!("recfact-rust ", env!("CARGO_PKG_VERSION")).len();
    script(&format!("head -c {bytes_of_hello} >/dev/null; printf '{}'; {rest}; exit", octal(&welcome)))
}

#[test]
fn answers_that_no_server_gives_are_errors_and_no_panics() {
    // KEEP of a 5 x 5 matrix: 9 bytes of the head, 168 and the matrix; then `info`, handle, and steps in mixed precision.
    let answer = |info: i64, handle: u32, steps: i32| {
        let [handle, steps] = [handle.to_le_bytes(), steps.to_le_bytes()];
        [&[0; 8], &48_u64.to_le_bytes()[..], &info.to_le_bytes(), &[0; 8], &handle, &steps, &[0; 24]].concat()
    };
    let cases = [
        (answer(0, 1, -1), None),
        (answer(0, 0, -1), Some("expected the handle of the factors, got 0")),
        (answer(0, 1, 3), Some("expected no steps in mixed precision, got 3")),
        (answer(6, 1, -1), Some("expected info in 0..=5, got 6")),
        (answer(-1, 1, -1), Some("expected info in 0..=5, got -1")),
    ];
    for (answer, reason) in cases {
        let rest = format!("head -c {} >/dev/null; printf '{}'; cat >/dev/null", 9 + 168 + 200, octal(&answer));
        let client = server_with(8, &rest).spawn().unwrap();
        match (keep(&client), reason) {
            (Ok(_), None) => {}
            (Err(Error::OutOfStep { reason: got, .. }), Some(expected)) => assert_eq!(got, expected),
            (other, expected) => panic!("expected {expected:?}, got {other:?}"),
        }
    }
}
