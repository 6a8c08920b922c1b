//! The client in JavaScript, which was written from protocol.md alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::harness::{executable, report, root};

const PROGRAM: &str = "clients/node/lu.mjs";

const PRINTED: &str = "\
RECFACT protocol 2
{
  info: 0,
  factors: [ [ 6, 3 ], [ 0.6666666666666666, 1 ] ],
  order: [ 1, 0 ]
}
status -6: expected a payload of 128 bytes, got 5
{
  info: 0,
  factors: [ [ 2, 4 ], [ 0, 1 ], [ 0.5, 0 ] ],
  order: [ 1, 2, 0 ]
}
exit status 0
";

/// Runs the client with a server; `None` if Node is not installed.
fn node(server: &str) -> Option<Output> {
    let mut node = Command::new("node");
    node.arg(PROGRAM).current_dir(root()).env("RECFACT_SERVER", server).env("NO_COLOR", "1");
    match node.output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("NOT TESTED, node is not installed: {PROGRAM}");
            None
        }
    }
}

#[test]
fn the_client_in_node_makes_a_mistake_and_goes_on() {
    let Some(output) = node(executable().to_str().unwrap()) else { return };
    assert!(output.status.success() && output.stderr.is_empty(), "{}", report(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), PRINTED);
    let lines = fs::read_to_string(root().join(PROGRAM)).unwrap().lines().count();
    assert!(lines <= 60, "expected at most 60 lines, got {lines}");
}

#[test]
fn the_client_in_node_says_what_happened_to_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server");
    let fails = |script: &str, expected: &str| {
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let Some(output) = node(path.to_str().unwrap()) else { return };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(expected), "{}", report(&output));
    };
    // One that dies, and one that knows version 1 only.
    fails("#!/bin/sh\nhead -c 9 > /dev/null\nexit 3\n", "recfact_server has ended, exit status 3");
    fails("#!/bin/sh\nprintf '\\1\\0\\0\\0\\0\\0\\0\\200'\nexit 1\n", "this server knows version 1 only");
}
