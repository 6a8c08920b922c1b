//! The section of README.md about ranks, as a newcomer follows it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use regex::Regex;
use testing::process::report;
use testing::{root, venv};

use crate::folder::Folder;
use crate::machine::{EXECUTABLE, Mpi, turn};

/// The lines of a block of a section, from that which opens it to that which closes it.
fn block<'t>(section: &'t str, language: &str) -> &'t str {
    let (_, block) = section.split_once(&format!("\n```{language}\n")).expect("a block of this language");
    block.split_once("\n```\n").expect("an end of the block").0
}

/// A text with N for each of its numbers, which are others on another machine.
fn without_numbers(text: &str) -> String {
    Regex::new(r"\b\d[\d.]*(e-?\d+)?").unwrap().replace_all(text.trim_end(), "N").into_owned()
}

#[test]
fn the_commands_of_the_readme_print_what_it_says() {
    if !Mpi::Open.is_there("the section of README.md about more than one machine") {
        return;
    }
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = text.split_once("\n## When one machine is not enough\n").unwrap();
    let folder = Folder::new();
    fs::create_dir_all(folder.file("target/release")).unwrap();
    symlink(EXECUTABLE, folder.file("target/release/recfact_server")).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let (here, python) = (folder.path().display(), venv::python(env!("CARGO_TARGET_TMPDIR")));
    let python = python.parent().unwrap().display();

    let _turn = turn();
    let mut shell = folder.program("bash");
    shell.env("PATH", format!("{here}/target/release:{python}:{path}"));
    let output = shell.args(["-c", &format!("set -e\nexec 2>&1\n{}", block(section, "sh"))]).output().unwrap();
    assert!(output.status.success(), "{}", report(&output));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(without_numbers(&printed), without_numbers(block(section, "output")), "{}", report(&output));
    assert!(Path::new(&folder.file("target/x.npy")).exists());
}
