//! Programs that answer extended frames as no server does, and refusals after which the session goes on.

use nalgebra::DMatrix;
use recfact::client::{Client, Error, Transport};
use recfact::{Lu, Options};

use crate::harness::*;

/// Bytes of the first write of a client, HELLO with the client's name and MAP, and of a request to factor.
const GREETING_BYTES: usize = 9 + 4 + "recfact-rust ".len() + env!("CARGO_PKG_VERSION").len() + 9 + 24;
const FACTOR_BYTES: usize = 9 + 128;

/// An answer to a frame.
fn answer(status: i64, payload: &[u8]) -> Vec<u8> {
    [&status.to_le_bytes()[..], &payload.len().to_le_bytes(), payload].concat()
}

/// The answer to HELLO.
fn welcome(features: u64, max_bytes: u64, text: &[u8]) -> Vec<u8> {
    let fields = [&2_u32.to_le_bytes()[..], &features.to_le_bytes(), &max_bytes.to_le_bytes(), &1_u32.to_le_bytes()];
    answer(0, &[b"RECFACT\0", &fields.concat()[..], text].concat())
}

/// The answer to MAP.
fn mapped() -> Vec<u8> {
    answer(0, &1_u32.to_le_bytes())
}

/// The answer to FACTOR.
fn factored(info: i64) -> Vec<u8> {
    answer(0, &[info.to_le_bytes(), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]].concat())
}

/// A good greeting.
fn good() -> Vec<u8> {
    [welcome(3, 1 << 40, b"version=9\n"), mapped()].concat()
}

/// A client of a program that reads these numbers of bytes and answers each with these bytes; then it is silent.
fn program(exchanges: &[(usize, Vec<u8>)]) -> Client {
    let exchange =
        |(bytes, answer): &(usize, Vec<u8>)| format!("head -c {bytes} >/dev/null; printf '{}'; ", octal(answer));
    let body: String = exchanges.iter().map(exchange).collect();
    script(&format!("{body} exec sleep 1000")).mapped(true).spawn().unwrap()
}

fn empty() -> DMatrix<f64> {
    DMatrix::zeros(0, 0)
}

/// Whether the client takes the answer to a request for an empty matrix.
fn works_for_empty(client: &Client) -> bool {
    client.lu(&empty(), &Options::default()).is_ok_and(|lu| lu == Lu::new(empty(), &Options::default()).unwrap())
}

#[test]
fn a_program_that_answers_as_a_server_does_is_believed() {
    // The way to tell that the others fail for their reasons.
    let client = program(&[(GREETING_BYTES, good()), (FACTOR_BYTES, factored(0)), (FACTOR_BYTES, factored(0))]);
    assert!(works_for_empty(&client) && works_for_empty(&client));
    assert_eq!(client.transport(), Transport::Mapped);
}

#[test]
fn a_request_that_is_refused_is_an_error_with_the_words_of_the_server_which_goes_on() {
    // The words are shorter than the answer that was expected, longer, or none.
    for message in ["no memory", "expected more memory than there is, got none of it from the system", ""] {
        let refusal = answer(-4, message.as_bytes());
        let client = program(&[(GREETING_BYTES, good()), (FACTOR_BYTES, refusal), (FACTOR_BYTES, factored(0))]);
        let server = client.server_id();
        let (mut a, mut ipiv) = (random::<f64>(3, 2), [-7; 2]);
        let error = client.lu_in_place(&mut a, &mut ipiv, &Options::default()).unwrap_err();
        assert!(
            matches!(&error, Error::Refused { code: 4, message: Some(got), line: None } if got == message),
            "{error}"
        );
        assert_eq!(error.to_string(), format!("the server refused the request: out of memory: {message}"));
        assert_eq!((error.exit_code(), a == random(3, 2), ipiv), (None, true, [-7; 2]));
        assert!(works_for_empty(&client));
        assert_eq!(client.server_id(), server);
    }
}

#[test]
fn a_server_that_does_not_map_the_memory_gets_version_1_frames() {
    let cases = [
        (
            [welcome(3, 1 << 40, b""), answer(-8, b"expected another descriptor")].concat(),
            "expected another descriptor",
        ),
        ([answer(-1, b"expected a command"), answer(-1, b"expected MAP")].concat(), "expected a command"),
        ([welcome(2, 1 << 40, b""), mapped()].concat(), "expected a server with FACTOR, got one without"),
    ];
    for (greeting, reason) in cases {
        let client = program(&[(GREETING_BYTES, greeting), (17, vec![0; 8]), (17, vec![0; 8])]);
        assert!(works_for_empty(&client) && works_for_empty(&client));
        assert_eq!(client.transport(), Transport::Pipes { reason: reason.into() });
    }
}

#[test]
fn a_matrix_for_which_the_server_maps_no_memory_goes_through_the_pipes() {
    let rows = 200_000;
    let refuse = format!("head -c {} >/dev/null; printf '{}';", 9 + 24, octal(&answer(-8, b"expected memory")));
    // Zeros, and a row that stayed where it was.
    let version1 = format!(
        "head -c {} >/dev/null; head -c {} /dev/zero; printf '{}';",
        17 + 8 * rows,
        8 + 8 * rows,
        octal(&1_i64.to_le_bytes())
    );
    let [greet, factor] = [(GREETING_BYTES, good()), (FACTOR_BYTES, factored(0))]
        .map(|(bytes, answer)| format!("head -c {bytes} >/dev/null; printf '{}';", octal(&answer)));
    // The second time it is not asked.
    let body = format!("{greet} {factor} {refuse} {version1} {factor} {version1} exec sleep 1000");
    let client = script(&body).mapped(true).spawn().unwrap();
    let large = DMatrix::<f64>::zeros(rows, 1);
    for _ in 0..2 {
        assert!(works_for_empty(&client));
        assert_eq!(client.transport(), Transport::Mapped);
        assert_eq!(client.lu(&large, &Options::default()).unwrap().ipiv(), [1]);
        assert_eq!(client.transport(), Transport::Pipes { reason: "expected memory".into() });
    }
}

#[test]
fn answers_to_frames_that_no_server_gives_are_errors_and_no_panics() {
    let long = [&0_i64.to_le_bytes()[..], &(1_u64 << 40).to_le_bytes(), &[0; 16]].concat();
    let greetings = [
        (answer(0, b"RECFACT"), "expected the length of an answer, got status 0, length 7"),
        ([answer(0, &[7; 32]), mapped()].concat(), "expected the name of the protocol, got another"),
        ([welcome(3, 9, b""), answer(0, &[0; 5])].concat(), "expected a payload of 4 bytes, got 5"),
        (long.clone(), "expected a short answer, got status 0, length 1099511627776"),
        (answer(i64::MIN + 2, b""), "expected the status and the length of an answer"),
        (answer(7, b""), "expected the status and the length of an answer, got status 7, length 0"),
    ];
    let greetings = greetings.map(|(greeting, reason)| (vec![(GREETING_BYTES, greeting)], reason));
    let answers = [
        (factored(3), "expected info in 0..=2, got 3"),
        (factored(-1), "expected info in 0..=2, got -1"),
        (factored(i64::MIN + 4), "expected info in 0..=2, got -9223372036854775804"),
        // Nobody has written row swaps into the memory.
        (factored(0), "expected ipiv(1) to be a row in 1..=2, got 0"),
        (answer(0, &[0; 17]), "expected a payload of 16 bytes, got 17"),
        (answer(0, &[0; 15]), "expected the length of an answer, got status 0, length 15"),
        (answer(1, &[0; 16]), "expected the status and the length of an answer, got status 1, length 16"),
        (answer(-256, b""), "expected the status and the length of an answer, got status -256, length 0"),
        (long, "expected a short answer"),
        ([answer(-4, b"no"), vec![0; 3]].concat(), "expected the status and the length of an answer, got status -4"),
    ];
    let answers = answers.map(|(answer, reason)| (vec![(GREETING_BYTES, good()), (FACTOR_BYTES, answer)], reason));
    for (exchanges, reason) in greetings.into_iter().chain(answers) {
        let client = program(&exchanges);
        let server = client.server_id().unwrap();
        let error = client.lu(&random::<f64>(2, 2), &Options::default()).unwrap_err();
        assert!(matches!(error, Error::OutOfStep { .. }) && error.to_string().contains(reason), "{error}: {reason}");
        assert_eq!((state(server), client.server_id()), (None, None), "it has been killed");
    }
}

#[test]
fn what_follows_an_answer_to_a_frame_unasked_is_noticed_by_the_next_call() {
    let client = program(&[(GREETING_BYTES, good()), (FACTOR_BYTES, [factored(0), vec![0]].concat())]);
    assert!(works_for_empty(&client));
    let error = client.lu(&empty(), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("expected silence between requests"), "{error}");
}

#[test]
fn a_server_that_dies_or_hangs_at_hello_is_an_error_and_not_an_old_one() {
    let client = script("head -c 1 >/dev/null; echo why >&2; exit 3").mapped(true).spawn().unwrap();
    let error = client.lu(&empty(), &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Died { .. }), "{error}");
    assert_eq!((error.exit_code(), error.stderr_line()), (Some(3), Some("why")));
    assert_eq!(client.transport(), Transport::Undecided);
    let timeout = std::time::Duration::from_millis(300);
    let client = script("exec sleep 1000").mapped(true).timeout(timeout).spawn().unwrap();
    assert!(matches!(client.lu(&empty(), &Options::default()), Err(Error::TimedOut { .. })));
}
