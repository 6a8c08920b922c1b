//! The client in JavaScript, which was written from protocol.md alone.

use std::fs;
use std::process::Command;

use testing::process::report;
use testing::root;

const PRINTED: &str = "\
RECFACT version 2
{
  info: 0,
  lu: [ [ 6, 3 ], [ 0.6666666666666666, 1 ] ],
  swaps: [ 1, 1 ]
}
status -9: expected a matrix of finite numbers, got a NaN or an infinity
{ info: 2, lu: [ [ 2, 4 ], [ 0.5, 0 ] ], swaps: [ 1, 1 ] }
exit status 0
";

fn run(server: &str) -> Option<std::process::Output> {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("NOT TESTED, node is not installed: clients/node/lu.mjs");
        return None;
    }
    let client = root().join("clients/node/lu.mjs");
    Some(Command::new("node").arg(client).env("RECFACT_SERVER", server).output().unwrap())
}

#[test]
fn the_client_in_javascript_greets_factors_makes_a_mistake_and_goes_on() {
    let Some(output) = run(env!("CARGO_BIN_EXE_recfact_server")) else { return };
    assert!(output.status.success() && output.stderr.is_empty(), "{}", report(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), PRINTED);
}

#[test]
fn the_client_in_javascript_reports_a_server_that_ends_early() {
    let Some(output) = run("true") else { return };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("recfact_server ended early"), "{}", report(&output));
}

#[test]
fn the_client_in_javascript_has_at_most_sixty_lines() {
    let text = fs::read_to_string(root().join("clients/node/lu.mjs")).unwrap();
    assert!(text.lines().count() <= 60);
}
