//! README.md and protocol.md by the letter: their hexdumps are replayed, their commands are run.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use recfact::cli::ExitStatus;
use recfact::protocol::Command as Wire;
use tempfile::tempdir;
use testing::{c_library, venv};

use crate::harness::{command, executable, report, root, run};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

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
    for status in ExitStatus::ALL {
        assert!(text.contains(&format!("\n| {} | ", status.code())), "{status:?}");
    }
}

/// Each block of commands is run by `bash`, each program by Python, and the block after it says what they print; a C
/// program is written to the file that its first line names, for the commands that follow. The
/// commands that build (`cargo ..`) are those that run this test; the one that installs (`pip ..`) is run by [`venv::python`].
#[test]
fn the_commands_of_the_documents_print_what_they_say() {
    let folder = tempdir().unwrap();
    let bin = folder.path().join("target/release");
    fs::create_dir_all(&bin).unwrap();
    symlink(executable(), bin.join("recfact_server")).unwrap();
    symlink(c_library::folder(SCRATCH).join("librecfact.a"), bin.join("librecfact.a")).unwrap();
    symlink(c_library::folder_with_lapack(SCRATCH).parent().unwrap(), folder.path().join("target/lapack")).unwrap();
    for name in ["examples", "include"] {
        symlink(root().join(name), folder.path().join(name)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());

    let mut ran = 0;
    for document in ["README.md", "clients/README.md"] {
        let blocks = blocks(&read(document));
        for (at, (language, lines)) in blocks.iter().enumerate() {
            let source = lines.join("\n");
            if let Some(name) = source.strip_prefix("/* ").and_then(|rest| rest.split(':').next()) {
                fs::write(folder.path().join(name), &source).unwrap();
            }
            let Some(mut process) = program(language, &source) else { continue };
            process.current_dir(folder.path()).env("PATH", &path).env_remove("LD_LIBRARY_PATH");
            let output = process.output().unwrap();
            assert!(output.status.success(), "{document}: {lines:#?}\n{}", report(&output));
            assert_eq!(blocks[at + 1].0, "output", "{document}: every block says what it prints: {lines:#?}");
            let printed = String::from_utf8_lossy(&output.stdout);
            assert_eq!(printed.trim_end(), blocks[at + 1].1.join("\n"), "{document}: {lines:#?}");
            ran += 1;
        }
    }
    let octave = usize::from(has_octave());
    assert_eq!(ran, 6 + octave, "three blocks for the shell, one for C, one for Octave, two for Python");
}

/// Whether the block for Octave can be run.
fn has_octave() -> bool {
    let has = Command::new("octave-cli").arg("--version").output().is_ok();
    if !has {
        eprintln!("NOT TESTED, octave-cli is not installed: the commands of README.md that call it");
    }
    has
}

/// What runs a block, if it is to be run.
fn program(language: &str, source: &str) -> Option<Command> {
    let (mut command, source) = match language {
        "sh" if source.contains("octave-cli") && !has_octave() => return None,
        "sh" if !source.starts_with("cargo ") && !source.starts_with("pip ") => {
            (Command::new("bash"), format!("set -o pipefail\nexec 2>&1\n{source}"))
        }
        "python" => (Command::new(venv::python(SCRATCH)), source.to_owned()),
        _ => return None,
    };
    command.args(["-c", &source]);
    Some(command)
}
