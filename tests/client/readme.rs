//! The program of README.md is the one in `examples`, prints what README.md says, and reports its errors in words.

use std::env;
use std::process::Command;

use crate::harness::alone;

mod example {
    include!("../../examples/client.rs");

    pub fn run() -> ExitCode {
        main()
    }
}

#[test]
fn the_program_of_the_readme_prints_what_it_says() {
    let readme = include_str!("../../README.md");
    let program = include_str!("../../examples/client.rs");
    let (_, after) = readme.split_once(&format!("```rust,no_run\n{program}```\n")).expect("README.md has the program");
    let (_, output) = after.split_once("```output\n").expect("README.md has what it prints");
    let (output, _) = output.split_once("```").expect("the block is closed");
    match alone("readme::the_program_of_the_readme_prints_what_it_says") {
        Some(run) => {
            let printed = String::from_utf8_lossy(&run.stdout);
            assert!(printed.contains(output), "{printed}");
        }
        None => assert_eq!(example::run(), std::process::ExitCode::SUCCESS),
    }
}

#[test]
fn without_a_server_the_program_of_the_readme_prints_what_to_do() {
    const CHILD: &str = "RECFACT_TEST_WITHOUT_SERVER";
    if env::var_os(CHILD).is_some() {
        assert_eq!(example::run(), std::process::ExitCode::FAILURE);
        return;
    }
    let mut test = Command::new(env::current_exe().expect("this program has a name"));
    test.args(["--exact", "readme::without_a_server_the_program_of_the_readme_prints_what_to_do", "--nocapture"]);
    let output = test.env(CHILD, "1").env("RECFACT_SERVER", "/nowhere/recfact_server").output().expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let message = "expected to start /nowhere/recfact_server, got: No such file or directory (os error 2); \
                   RECFACT_SERVER or Builder::program says where it is\n";
    assert!(stderr.contains(message), "{stderr}");
}
