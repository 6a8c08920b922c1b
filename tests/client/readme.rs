//! The program of README.md is the one in `examples`, and prints what README.md says.

use crate::harness::alone;

mod example {
    include!("../../examples/client.rs");

    pub fn run() {
        main().expect("the program of README.md ends well");
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
        None => example::run(),
    }
}
