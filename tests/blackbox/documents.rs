//! The documents by the letter: their hexdumps are replayed, their commands are run, their numbers are computed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use nalgebra::Matrix2;
use recfact::cli::ExitStatus;
use recfact::protocol::Command as Wire;
use recfact::{Isa, Options, factor};
use tempfile::tempdir;
use testing::julia::julia;
use testing::wire::{expected, request};
use testing::{Float, c_library, naive_lu, venv};

use crate::harness::{command, executable, report, root, run, session};

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
    let (_, examples) = text.split_once("\n## Worked examples\n").unwrap();
    let examples: Vec<&str> = examples.split("\n### ").skip(1).collect();
    assert_eq!(
        examples.len(),
        10,
        "2x2, singular, wide, empty, bad command, two requests, extended frames, kept factors, a batch, files"
    );
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

/// Each block of commands is run by `bash`, each program by Python or Julia, and the block after it says what they print; a C
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
    let others = usize::from(has_octave()) + usize::from(julia(SCRATCH, "README.md").is_some());
    assert_eq!(
        ran,
        9 + others,
        "five blocks for the shell, one for C, three for Python; one for Octave, one for Julia"
    );
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
        // tests/distributed runs it, if there is MPI.
        "sh" if source.contains("--launcher") => return None,
        "sh" if !source.starts_with("cargo ") && !source.starts_with("pip ") => {
            (Command::new("bash"), format!("set -o pipefail\nexec 2>&1\n{source}"))
        }
        "python" => (Command::new(venv::python(SCRATCH)), source.to_owned()),
        "julia" => {
            let mut julia = julia(SCRATCH, "the program of README.md for Julia")?;
            let library = c_library::folder(SCRATCH).join("librecfact.so");
            julia.arg("-e").arg(source).env("RECFACT_SERVER", executable()).env("RECFACT_LIBRARY", library);
            return Some(julia);
        }
        _ => return None,
    };
    command.args(["-c", &source]);
    Some(command)
}

/// The matrix to test clients with, in clients/README.md.
fn test_matrix<T: Float>(m: usize, n: usize) -> Vec<T> {
    let integer = |i: usize, j: usize| ((7 * i + 13 * j + 17 * i * j) % 1009) as f64 - 504.0;
    (0..m * n).map(|at| T::from_f64(integer(at % m, at / m) / 512.0)).collect()
}

/// What clients/README.md says of that matrix; the server must answer what the naive triple loop does.
fn test_vector<T: Float>(command: u8, name: &str, m: usize, n: usize) -> String {
    let a: Vec<T> = test_matrix(m, n);
    let (sent, naive) = (request(command, m, n, &a), naive_lu(&a, m, n, true));
    let received = session(&[], &sent);
    assert!(received == expected(command, m, n, &a), "{name}, {m} x {n}");
    let three = |a: &[T], at: [usize; 3]| at.map(|at| format!("{:?}", a[at].into())).join(", ");
    let swaps: String = naive.ipiv[..6].iter().map(|row| format!(" {row}")).collect();
    [
        format!("command {command:#04x} ({name}), m = {m}, n = {n}"),
        format!("  request:  {} bytes, SHA-256 {}", sent.len(), sha256(&sent)),
        format!("    A(1,1), A(2,1), A(1,2): {}", three(&a, [0, 1, m])),
        format!("  response: {} bytes, SHA-256 {}", received.len(), sha256(&received)),
        format!("    info: {}", naive.info),
        format!("    U(1,1), L(2,1), U(2,2): {}", three(&naive.lu, [0, 1, m + 1])),
        format!("    ipiv:{swaps} .."),
    ]
    .join("\n")
}

/// A checksum in hexadecimal, as coreutils computes it.
fn sha256(bytes: &[u8]) -> String {
    let output = run(Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()), bytes);
    assert!(output.status.success(), "{}", report(&output));
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn the_matrix_to_test_clients_with_has_the_checksums_that_the_document_says() {
    let vectors = [test_vector::<f64>(0x00, "f64", 300, 200), test_vector::<f32>(0x01, "f32", 200, 300)].join("\n");
    let text = read("clients/README.md");
    assert!(text.contains(&format!("```text\n{vectors}\n```\n")), "expected in clients/README.md:\n{vectors}");
}

/// The server of this client reads a header and ends: a client that unpacks what it did not get fails for another reason.
#[test]
fn the_client_of_the_document_reports_a_server_that_dies() {
    let folder = tempdir().unwrap();
    let server = folder.path().join("recfact_server");
    fs::write(&server, "#!/bin/sh\nhead -c 17 > /dev/null\nexit 3\n").unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    let blocks = blocks(&read("clients/README.md"));
    let (_, client) = blocks.iter().find(|(language, _)| language == "python").unwrap();
    assert!((30..=45).contains(&client.len()), "about forty lines, got {}", client.len());

    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new(venv::python(SCRATCH)).args(["-c", &client.join("\n")]).env("PATH", path).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let error = "ConnectionError: recfact_server ended before its answer was complete, exit status 3";
    assert!(!output.status.success() && stderr.lines().any(|line| line == error), "{}", report(&output));
}

/// README.md and recfact.h say how often `info` is 0 although the matrix is singular.
#[test]
fn the_singular_matrices_of_small_integers_are_as_many_as_the_documents_say() {
    let range = || (-5..=5).map(f64::from);
    let matrices = range().flat_map(|a| range().flat_map(move |b| range().map(move |c| (a, b, c))));
    let matrices = matrices.flat_map(|(a, b, c)| range().map(move |d| Matrix2::new(a, b, c, d)));
    let singular: Vec<Matrix2<f64>> = matrices.filter(|a| a.m11 * a.m22 == a.m12 * a.m21).collect();
    for &isa in Isa::available() {
        let info = |mut a: Matrix2<f64>| factor(&mut a, &mut [0; 2], &Options::new().isa(isa)).unwrap();
        let unnoticed = singular.iter().filter(|&&a| info(a) == 0).count();
        assert_eq!((singular.len(), unnoticed), (833, 96), "{isa:?}");
    }
    for document in ["README.md", "include/recfact.h"] {
        let words = read(document).replace("\n *", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Of the 833 singular 2 x 2 matrices with entries -5 to 5, 96"), "{document}");
    }
}
