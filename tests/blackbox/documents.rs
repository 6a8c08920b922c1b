//! README.md and protocol.md by the letter: their hexdumps are replayed, their commands are run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use recfact::protocol::{Command as Wire, ExitStatus};
use tempfile::tempdir;

use crate::harness::{command, executable, report, root, run};

/// The fenced blocks of a document, in order: their language and their lines.
fn blocks(document: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match (inside, line.strip_prefix("```")) {
            (false, Some(language)) => blocks.push((language.to_owned(), Vec::new())),
            (true, None) => blocks.last_mut().unwrap().1.push(line.to_owned()),
            _ => {}
        }
        inside ^= line.starts_with("```");
    }
    assert!(!inside, "every block is closed");
    blocks
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

/// The bytes of a hexdump; its offsets must be right.
fn bytes(lines: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let (offset, rest) = line.split_once(": ").unwrap();
        assert_eq!(usize::from_str_radix(offset, 16).unwrap(), bytes.len(), "{line}");
        let (dump, meaning) = rest.split_once(" | ").unwrap();
        assert!(!meaning.is_empty(), "{line}");
        bytes.extend(dump.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    bytes
}

#[test]
fn the_hexdumps_of_the_protocol_are_what_the_server_answers() {
    let text = read("protocol.md");
    let examples: Vec<&str> = text.split("\n### ").skip(1).collect();
    assert_eq!(examples.len(), 6, "2x2, singular, wide, empty, bad command, two requests");
    for example in examples {
        let name = example.lines().next().unwrap();
        let blocks = blocks(example);
        let block = |language: &str| blocks.iter().find(|(l, _)| l == language).map(|(_, lines)| &lines[..]);
        let output = run(&mut command(&[]), &bytes(block("request").unwrap()));
        assert_eq!(output.stdout, bytes(block("response").unwrap()), "{name}\n{}", report(&output));
        let stderr: String = block("stderr").unwrap_or(&[]).iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(String::from_utf8_lossy(&output.stderr), stderr, "{name}");
        let status = example.lines().find_map(|line| line.strip_prefix("Exit status: "));
        assert_eq!(output.status.code(), Some(status.map_or(0, |s| s.parse().unwrap())), "{name}");
    }
}

#[test]
fn the_tables_of_the_protocol_are_those_of_the_code() {
    let text = read("protocol.md");
    for (name, command) in Wire::NAMES {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{:#04x}` |", command.byte())));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| `{name}` |"))), "{name}");
    }
    use ExitStatus::*;
    let all = [Success, UnknownCommand, BadShape, OverLimit, OutOfMemory, EndInHeader, EndInMatrix];
    for status in all.into_iter().chain([Unreadable, ReaderGone, Unwritable, Usage, Data, Io]) {
        assert!(text.contains(&format!("\n| {} | ", status.code())), "{status:?}");
    }
}

/// A python with numpy, in a virtual environment that is made once for this checkout.
fn python() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = folder.join("bin/python");
    let works = |python: &PathBuf| {
        Command::new(python).args(["-c", "import numpy"]).output().is_ok_and(|output| output.status.success())
    };
    if !works(&python) {
        let mut venv = Command::new("python3");
        let made = venv.args(["-m", "venv"]).arg(&folder).output().expect("python3 is needed for this test");
        assert!(made.status.success(), "{}", report(&made));
        let pip = Command::new(&python).args(["-m", "pip", "install", "--quiet", "numpy"]).output().unwrap();
        assert!(pip.status.success() && works(&python), "numpy is needed for this test\n{}", report(&pip));
    }
    python
}

/// Each block of commands is run by `bash`, each program by Python, and the block after it says what they print. The
/// commands that build (`cargo ..`) are those that run this test.
#[test]
fn the_commands_of_the_readme_print_what_it_says() {
    let folder = tempdir().unwrap();
    fs::create_dir_all(folder.path().join("target/release")).unwrap();
    symlink(executable(), folder.path().join("target/release/recfact_server")).unwrap();
    symlink(root().join("examples"), folder.path().join("examples")).unwrap();
    let bin = folder.path().join("target/release");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());

    let blocks = blocks(&read("README.md"));
    let mut ran = 0;
    for (at, (language, lines)) in blocks.iter().enumerate() {
        let source = lines.join("\n");
        let mut process = match &language[..] {
            "sh" if !source.starts_with("cargo ") => {
                let mut bash = Command::new("bash");
                bash.args(["-c", &format!("set -o pipefail\nexec 2>&1\n{source}")]);
                bash
            }
            "python" => {
                let mut python = Command::new(python());
                python.args(["-c", &source]);
                python
            }
            _ => continue,
        };
        let output = process.current_dir(folder.path()).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{source}\n{}", report(&output));
        assert_eq!(blocks[at + 1].0, "output", "every block says what it prints: {source}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), blocks[at + 1].1.join("\n"), "{source}");
        ran += 1;
    }
    assert_eq!(ran, 4, "three blocks for the shell and one for Python");
}
