//! As a user at a shell would: bytes from `printf`, bytes to `xxd`.

use std::process::Command;

use crate::harness::{executable, report, root};

/// Runs a script in `bash` with the executable first on the path, and returns what it printed.
fn bash(script: &str) -> String {
    let folder = executable().parent().unwrap().to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let script = format!("set -euo pipefail\n{script}");
    let output = Command::new("bash").args(["-c", &script]).env("PATH", path).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", report(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// xxd is part of vim in some systems and a package of its own in others.
#[test]
fn bytes_from_printf_come_back_to_xxd() {
    let printed = bash(
        r"printf '\x00\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x1c\x40\xff' | recfact_server | xxd -p -c 24",
    );
    assert_eq!(printed, format!("{}{}{}\n", "0000000000000000", "0000000000001c40", "0100000000000000"));
}

#[test]
fn an_error_shows_its_status_to_the_shell() {
    assert_eq!(bash(r"printf '\x08' | { recfact_server 2>/dev/null || echo $?; } | xxd -p"), "0100000000000080310a\n");
}

#[test]
fn a_script_factors_a_file() {
    let printed = bash("recfact_server encode examples/a.csv | recfact_server | recfact_server decode | sed -n 1p");
    assert_eq!(printed, "matrix 1: 3 x 3, f64, info 0\n");
}

#[test]
fn each_stage_of_a_broken_pipeline_says_which_one_it_is() {
    let printed = bash(
        "{ printf '1 x\\n' | recfact_server encode | recfact_server | recfact_server decode; } 2>&1 | sort || true",
    );
    let expected = "\
recfact_server decode: response 1: expected a response, got end of input
recfact_server encode: stdin: line 1, column 2: expected a number, got \"x\"; a line of names must start with #
";
    assert_eq!(printed, expected);
}
