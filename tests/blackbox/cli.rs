//! The subcommands for people at a shell.

use std::fs;
use std::io::{Read, Write};
use std::process::Output;
use std::thread::sleep;
use std::time::Duration;

use nix::pty::openpty;
use tempfile::tempdir;
use testing::{Kind, matrix};

use crate::harness::*;

/// `encode ARGS | recfact_server | decode ARGS`, each stage with its own status.
fn pipeline(encode: &[&str], decode: &[&str], stdin: &[u8]) -> Output {
    let requests = run(command(&["encode"]).args(encode), stdin);
    assert!(requests.status.success(), "{}", report(&requests));
    let responses = run(&mut command(&[]), &requests.stdout);
    run(command(&["decode"]).args(decode), &responses.stdout)
}

#[test]
fn text_and_csv_become_the_same_request() {
    let expected = request(0, 2, 3, &[1.0, 4.0, -2.5, 5e-3, 3.0, 6.0]);
    for input in [
        "1 -2.5 3\n4 5e-3 6\n",
        "# names\n\n  1\t-2.5  3  \n4 5e-3 6",
        "1,-2.5,3\n4,5e-3,6\n",
        "\u{feff}# x,y,z\r\n 1 , -2.5,3\r\n\r\n   \r\n\"4\",5e-3,6\r\n",
    ] {
        let output = run(command(&["encode", "--bare"]).arg("-"), input.as_bytes());
        assert!(output.status.success(), "{input:?} {}", report(&output));
        assert_eq!(output.stdout, expected, "{input:?}");
    }
    let single = run(&mut command(&["encode", "--bare", "--exit", "--cmd", "f32-threaded-nopiv"]), b"1 inf\nnan 0.1\n");
    let a = [1.0_f32, f32::NAN, f32::INFINITY, 0.1];
    assert_eq!(single.stdout, [request(7, 2, 2, &a), vec![0xff]].concat());
}

#[test]
fn npy_arrays_of_every_real_type_and_order_become_the_same_request() {
    let expected = request(0, 2, 3, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let columns = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
    let bytes = |order: [f64; 6], one: &dyn Fn(f64) -> Vec<u8>| order.into_iter().flat_map(one).collect::<Vec<u8>>();
    let files = [
        npy("<f8", false, "(2, 3)", &bytes(rows, &|x| x.to_le_bytes().into())),
        npy("<f8", true, "(2, 3)", &bytes(columns, &|x| x.to_le_bytes().into())),
        npy(">f4", false, "(2, 3)", &bytes(rows, &|x| (x as f32).to_be_bytes().into())),
        npy("<i8", true, "(2, 3)", &bytes(columns, &|x| (x as i64).to_le_bytes().into())),
        npy("<u2", false, "(2, 3)", &bytes(rows, &|x| (x as u16).to_le_bytes().into())),
        npy("|i1", false, "(2, 3)", &bytes(rows, &|x| vec![x as u8])),
    ];
    for file in files {
        let output = run(&mut command(&["encode", "--bare"]), &file);
        assert!(output.status.success(), "{}", report(&output));
        assert_eq!(output.stdout, expected);
    }
    let empty = run(&mut command(&["encode", "--bare"]), &npy("<f8", false, "(0, 5)", &[]));
    assert_eq!(empty.stdout, header(0, 0, 5));
}

#[test]
fn a_pipeline_prints_several_matrices_of_any_shape() {
    let folder = tempdir().unwrap();
    let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.txt"));
    fs::write(&a, "4,3\n6,3\n").unwrap();
    fs::write(&b, "0 1 2\n0 3 4\n").unwrap();
    let files = [a.to_str().unwrap(), b.to_str().unwrap(), "-", "--exit"];
    let output = pipeline(&files, &["--digits", "4"], b"1e300\n-1e-300\n");
    let expected = "\
matrix 1: 2 x 2, f64, info 0
L (2 x 2):
       1  0
  0.6667  1
U (2 x 2):
  6  3
  0  1
ipiv: 2 2
rows of A in P*A = L*U: 2 1
matrix 2: 2 x 3, f64, info 1: U(1,1) is exactly zero
L (2 x 2):
  1  0
  0  1
U (2 x 3):
  0  1  2
  0  3  4
ipiv: 1 2
rows of A in P*A = L*U: 1 2
matrix 3: 2 x 1, f64, info 0
L (2 x 1):
   1
  -0
U (1 x 1):
  1e300
ipiv: 1
rows of A in P*A = L*U: 1 2
";
    assert_eq!(text(&output), expected);
}

#[test]
fn decoded_npy_files_hold_the_factors_and_the_swaps() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("new/out");
    let a = npy("<f4", false, "(2, 2)", &[2.0_f32, 3.0, 4.0, 8.0].map(f32::to_le_bytes).concat());
    let output = pipeline(&["--cmd", "f32"], &["--npy", out.to_str().unwrap()], &a);
    let (lu, ipiv) = (out.join("1-lu.npy"), out.join("1-ipiv.npy"));
    assert_eq!(text(&output), format!("matrix 1: 2 x 2, f32, info 0 -> {}, {}\n", lu.display(), ipiv.display()));
    let factors = [4.0_f32, 0.5, 8.0, -1.0].map(f32::to_le_bytes).concat();
    let file = fs::read(lu).unwrap();
    assert!(file.starts_with(b"\x93NUMPY"));
    let head = String::from_utf8_lossy(&file[10..file.len() - 16]).into_owned();
    assert!(head.contains("'<f4'") && head.contains("'fortran_order': True") && head.contains("(2, 2"), "{head}");
    assert_eq!(file[file.len() - 16..], factors);
    let file = fs::read(ipiv).unwrap();
    assert_eq!(file[file.len() - 16..], [2_i64, 2].map(i64::to_le_bytes).concat());
}

#[test]
fn decoded_csv_files_hold_the_factors_and_the_swaps() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    // 1/3 in f32 and in f64: as many digits as each needs.
    for (element, third) in [("f64", "0.3333333333333333"), ("f32", "0.33333334")] {
        let output = pipeline(&["--cmd", element], &["--csv", out.to_str().unwrap()], b"1,1e-300,5\n3,0,-0\n");
        let (lu, ipiv) = (out.join("1-lu.csv"), out.join("1-ipiv.csv"));
        let printed = format!("matrix 1: 2 x 3, {element}, info 0 -> {}, {}\n", lu.display(), ipiv.display());
        if element == "f64" {
            assert_eq!(text(&output), printed);
            assert_eq!(fs::read_to_string(&lu).unwrap(), format!("3,0,-0\n{third},1e-300,5\n"));
        } else {
            // 1e-300 is zero in f32, and so U(2,2).
            assert_eq!(fs::read_to_string(&lu).unwrap(), format!("3,0,-0\n{third},0,5\n"));
        }
        assert_eq!(fs::read_to_string(&ipiv).unwrap(), "2\n2\n");
    }
    let a: Vec<f64> = matrix(Kind::Uniform, 40, 30, 9);
    let response = expected(0, 40, 30, &a);
    let output = run(&mut command(&["decode", "--shape", "40x30", "--csv", out.to_str().unwrap()]), &response);
    assert!(output.status.success(), "{}", report(&output));
    let again = run(&mut command(&["encode", "--bare", out.join("1-lu.csv").to_str().unwrap()]), &[]);
    assert_eq!(again.stdout[17..], response[8..8 + 8 * 40 * 30], "the digits give the same elements again");
    let both = run(&mut command(&["decode", "--csv", "a", "--npy", "b"]), &[]);
    assert_eq!(both.status.code(), Some(64), "{}", report(&both));
}

#[test]
fn a_compact_text_is_one_table() {
    let output = pipeline(&[], &["--compact", "--digits", "3"], b"2 1 1\n4 3 3\n8 7 9\n");
    let expected = "\
matrix 1: 3 x 3, f64, info 0
L below the diagonal, U on and above it (3 x 3):
     8      7       9
  0.25  -0.75   -1.25
   0.5  0.667  -0.667
ipiv: 3 3 3
rows of A in P*A = L*U: 3 1 2
";
    assert_eq!(text(&output), expected);
}

#[test]
fn responses_without_labels_are_decoded_by_their_shapes() {
    let one = expected(0, 1, 1, &[5.0]);
    let two = expected(1, 1, 2, &[7.0_f32, 8.0]);
    let responses = [&one[..], &two, &two].concat();
    let output = run(&mut command(&["decode", "--shape", "1x1", "--shape", "1x2:f32"]), &responses);
    let text = text(&output);
    assert!(text.starts_with("matrix 1: 1 x 1, f64, info 0\n"), "{text}");
    assert!(text.contains("matrix 3: 1 x 2, f32, info 0\nL (1 x 1):\n  1\nU (1 x 2):\n  7  8\nipiv: 1\n"), "{text}");
}

/// Runs a subcommand, the first of `args`, on input that it must refuse, with this line and nothing on stdout.
fn refuses(args: &[&str], input: &[u8], line: &str) {
    let output = run(&mut command(args), input);
    assert_eq!(output.status.code(), Some(65), "{}", report(&output));
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("recfact_server {}: {line}\n", args[0]));
    assert!(output.stdout.is_empty(), "{}", report(&output));
}

#[test]
fn broken_text_is_reported_by_file_line_and_column() {
    let encode = |input: &str, line: &str| refuses(&["encode"], input.as_bytes(), line);
    encode("1 2\n\n3 x\n", "stdin: line 3, column 2: expected a number, got \"x\"; a line of names must start with #");
    encode("1,2\n3,\n", "stdin: line 2, column 2: expected a number, got nothing");
    encode("1,2\n3\n", "stdin: line 2, column 2: expected 2 numbers as in line 1, got the end of the line after 1");
    encode(
        "# x\n1 2\n3 4 5\n",
        "stdin: line 3, column 3: expected the end of the line after 2 numbers as in line 2, got \"5\"",
    );
    let trailing = "a line of names must start with #";
    let x = |line: u32| format!("stdin: line {line}, column 2: expected a number, got \"x\"; {trailing}");
    encode("1,2\n\n\n3,x", &x(4));
    encode("# n\r\n1,2\r\n\r\n# c\r\n3,x\r\n", &x(5));
    let long = |line: u32, first: u32, text: &str| {
        let end = format!("the end of the line after 2 numbers as in line {first}");
        format!("stdin: line {line}, column 3: expected {end}, got \"{text}\"")
    };
    encode("\n\n1,2\n \n3,4,5", &long(5, 3, "5"));
    encode("1,\"2\n3,4\n5,6,7", &long(3, 1, "7"));
    let first = |text: &str| format!("stdin: line 1, column 1: expected a number, got \"{text}\"; {trailing}");
    encode("\x1b[31m", &first("\\u{1b}[31m"));
    let letters = "a".repeat(1000);
    encode(&letters, &first(&format!("{}..", &letters[..40])));
    let separator = "as in line 1, got";
    encode("1,2\n3 4\n", &format!("stdin: line 2, column 1: expected a comma after \"3\" {separator} a blank"));
    encode("1 2\n3,4\n", &format!("stdin: line 2, column 1: expected a blank after \"3\" {separator} a comma"));
    let ones = "1".repeat(5000);
    let most = format!("expected a number of at most 4096 characters, got \"{}..\"", &ones[..40]);
    encode(&format!("1\n{ones}"), &format!("stdin: line 2, column 1: {most}"));
    encode("1\0", "stdin: expected text, CSV or a .npy file, got other binary data");
    encode("1e999", "stdin: line 1, column 1: expected a number in the range of f64, got \"1e999\"");
    encode("# nothing\n\n", "stdin: expected numbers, got none; .npy files can hold empty matrices");
    refuses(
        &["encode", "--cmd", "f32"],
        b"1e39",
        "stdin: line 1, column 1: expected a number in the range of f32, got \"1e39\"",
    );

    let folder = tempdir().unwrap();
    let file = folder.path().join("a.csv");
    fs::write(&file, "1,2\na,4\n").unwrap();
    let name = file.to_str().unwrap();
    let line = format!("{name}: line 2, column 1: expected a number, got \"a\"; a line of names must start with #");
    refuses(&["encode", name], &[], &line);
    let missing = run(&mut command(&["encode", "missing.csv"]), &[]);
    assert_eq!(missing.status.code(), Some(74));
    let line = "recfact_server encode: missing.csv: No such file or directory (os error 2)\n";
    assert_eq!(String::from_utf8_lossy(&missing.stderr), line);
}

#[test]
fn broken_npy_files_are_refused_before_anything_is_allocated() {
    let encode = |file: Vec<u8>, line: &str| refuses(&["encode"], &file, line);
    let data = [0; 32];
    encode(npy("<f8", false, "(4,)", &data), "stdin: expected an array of two or three dimensions, got shape [4]");
    for dtype in ["<c16", "<M8[s]", "<f2", "|O"] {
        let line = format!("stdin: expected elements of f4, f8, integers or bool, got dtype \"'{dtype}'\"");
        encode(npy(dtype, false, "(2, 1)", &data), &line);
    }
    encode(npy("<f8", false, "(1, 3)", &data), "stdin: expected 24 bytes of elements for 1 x 3, got 32");
    encode(npy("<f8", false, "(2, 3)", &data), "stdin: expected 48 bytes of elements for 2 x 3, got 32");
    let huge = npy("<f8", false, "(2147483648, 1073741824)", &data);
    encode(huge, "stdin: expected a shape that fits into memory, got 2147483648 x 1073741824");
    let ended = "stdin: expected a .npy header, got the end of the file inside it";
    encode(b"\x93NUMPY".to_vec(), ended);
    encode(b"\x93NUMPY\x01\x00\xff\x00{'descr': '<f8'".to_vec(), ended);
    // A header of 4 GiB, so it says.
    encode(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr': '<f8'".to_vec(), ended);
    let large = npy("<f8", false, "(1099511627776, 1099511627776)", &data);
    encode(large, "stdin: expected a shape that fits into memory, got 1099511627776 x 1099511627776");
    let long = [b"\x93NUMPY\x02\x00", &10_001_u32.to_le_bytes()[..], &[b' '; 10_001]].concat();
    encode(long, "stdin: expected a .npy header of at most 10000 bytes, got one of 10001");
    let wide = |n: u64| {
        (npy("<f8", false, &format!("(0, {n})"), &[]), format!("stdin: expected sizes of at most 2^53, got 0 x {n}"))
    };
    let (file, line) = wide((1 << 53) + 1);
    encode(file, &line);
    let (file, line) = wide(u64::MAX);
    refuses(&["encode", "--bare"], &file, &line);
    let large = npy("<f8", false, "(1, 2)", &[1.0, 1e39].map(f64::to_le_bytes).concat());
    let line = "stdin: element 2: expected a number in the range of f32, got 1e39";
    refuses(&["encode", "--cmd", "f32"], &large, line);
    let output = run(&mut command(&["encode"]), b"\x93NUMPY\x01\x00\x08\x00nonsense");
    assert_eq!(output.status.code(), Some(65), "{}", report(&output));
    let line = "recfact_server encode: stdin: expected a .npy header, got one with ";
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(line), "{}", report(&output));
}

#[test]
fn broken_responses_are_refused() {
    let decode = |input: &[u8], line: &str| refuses(&["decode"], input, line);
    decode(&[], "response 1: expected a response, got end of input");
    decode(&[0; 7], "response 1: expected 8 bytes of info, got end of input after 7");
    decode(&[0; 100], "response 1: expected a label; for requests made without one say --shape");
    decode(&(i64::MIN + 1).to_le_bytes(), "response 1: the server refused the request: unknown command");
    let square = |input: &[u8], line: &str| refuses(&["decode", "--shape", "1x1"], input, line);
    square(&[0; 20], "response 1: expected 8 bytes of row swaps, got end of input after 4");
    square(&[0; 24], "response 1: expected ipiv(1) to be a row in 1..=1, got 0");
    let forged = [99_i64, 0, 1].map(i64::to_le_bytes).concat();
    square(&forged, "response 1: expected info in -1..=1, got 99");
    square(&(i64::MIN + 16).to_le_bytes(), "response 1: the server refused the request: code 16");
    let labelled = session(&[], &run(&mut command(&["encode"]), b"1").stdout);
    square(&labelled, "response 1: got a label: this stream says its shapes itself, leave out --shape");
    // A server that refuses the request after its label says so through the whole pipeline.
    let requests = run(&mut command(&["encode"]), b"1 2\n3 4\n").stdout;
    let responses = run(&mut command(&["--max-bytes", "31B"]), &requests);
    assert_eq!(responses.status.code(), Some(3));
    decode(&responses.stdout, "response 1: the server refused the request: larger than the server's limit");
}

/// Bars are for people who see nothing else: on a terminal, if the text goes elsewhere, and only after a while.
#[test]
fn progress_is_shown_on_a_terminal_if_it_takes_long() {
    let a: Vec<f64> = matrix(Kind::Uniform, 150, 150, 3);
    let response = expected(0, 150, 150, &a);
    for (pause, has_bar) in [(Duration::from_millis(1000), true), (Duration::ZERO, false)] {
        let terminal = openpty(None, None).unwrap();
        let mut decode = command(&["decode", "--shape", "150x150", "--digits", "17"]);
        let mut child = decode.stderr(terminal.slave).env("TERM", "xterm").spawn().unwrap();
        drop(decode); // and with it our copy of the terminal's other end
        child.stdin.take().unwrap().write_all(&response).unwrap();
        // The text does not fit into the pipe, so it waits for us.
        sleep(pause);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout.len() > 1 << 18);
        let mut shown = Vec::new();
        // Reading ends with an error when nobody has the other end any more.
        let _ = fs::File::from(terminal.master).read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert_eq!(shown.contains("matrix 1: "), has_bar, "{shown:?}");
        assert!(has_bar || shown.is_empty(), "{shown:?}");
    }
}

#[test]
fn the_demo_checks_its_own_answer() {
    let text = text(&run(&mut command(&["demo"]), &[]));
    for part in ["request (", "00000000: 0003 0000", "response (", "ipiv: 3 3 3", "P*A = L*U: "] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn help_and_version_tell_what_there_is() {
    let help = text(&run(&mut command(&["--help"]), &[]));
    for part in ["serve", "encode", "decode", "solve", "demo", "bench", "--max-bytes", "--threads", "Examples:"] {
        assert!(help.contains(part), "{help}");
    }
    for subcommand in ["serve", "encode", "decode", "solve", "demo", "bench"] {
        assert!(text(&run(&mut command(&[subcommand, "--help"]), &[])).contains("Usage:"));
    }
    let version = text(&run(&mut command(&["--version"]), &[]));
    let isa = recfact::Isa::best().name();
    assert_eq!(version, format!("recfact_server {} ({isa})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_mistake_in_the_arguments_is_one_line_that_names_it() {
    let cases: [(&[&str], &str, &str); 8] = [
        (&["--thraeds", "2"], "", "unexpected argument '--thraeds' found"),
        (&["--threads"], "", "a value is required for '--threads <N>' but none was supplied"),
        (&["--threads", "0"], "", "invalid value '0' for '--threads <N>': expected at least 1 thread"),
        (&["--threads", "-1"], "", "unexpected argument '-1' found"),
        (&["--max-bytes", "1GG"], "", "invalid value '1GG' for '--max-bytes <SIZE>': expected a number of bytes"),
        (&["encode", "--cmd", "f99"], " encode", "invalid value 'f99' for '--cmd <COMMAND>': expected one of f64, f32"),
        (&["--threads", "2", "demo"], "", "the subcommand 'demo' cannot be used with '--threads <N>'"),
        (&["serve", "a\nb"], "", "unexpected argument 'a; b' found"),
    ];
    for (args, stage, reason) in cases {
        let output = run(&mut command(args), &[]);
        assert_eq!(output.status.code(), Some(64), "{}", report(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with(&format!("recfact_server{stage}: {reason}")), "{said}");
        assert!(said.ends_with(&format!("; recfact_server{stage} --help shows what there is\n")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_file_that_the_server_does_not_take_is_shown_the_way_to_encode() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("it's"), "1\n").unwrap();
    let cases: [(&[&str], &str); 3] =
        [(&["a.csv"], "a.csv"), (&["serve", "b.npy"], "b.npy"), (&["it's"], r"'it'\''s'")];
    for (args, word) in cases {
        let output = run(command(args).current_dir(folder.path()), &[]);
        assert_eq!(output.status.code(), Some(64), "{}", report(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let advice = format!("encode {word} | recfact_server | recfact_server decode\n");
        assert!(said.ends_with(&format!("; to factor a file: recfact_server {advice}")), "{said}");
    }
    // Neither a file nor the name of one.
    let output = run(command(&["decide"]).current_dir(folder.path()), &[]);
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("; recfact_server --help shows what there is\n"));
}

/// Words are wrapped by the width of the terminal alone; 100 columns are enough for anybody to read.
#[test]
fn help_is_wrapped_once() {
    let subcommands = ["serve", "encode", "decode", "solve"].map(|subcommand| vec![subcommand, "--help"]);
    for subcommand in [&[vec!["--help"]][..], &subcommands].concat() {
        let lines = |columns: &str| {
            let help = text(&run(command(&subcommand).env("COLUMNS", columns), &[]));
            help.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines("100"), lines("120"));
        for columns in [80, 100] {
            let lines = lines(&columns.to_string());
            for (line, next) in lines.iter().zip(&lines[1..]) {
                assert!(line.len() <= columns, "{columns}: {line}");
                // A line of prose that ends early has nothing after it that would have fitted.
                let is_prose = |line: &str| line.starts_with(|c: char| c.is_alphabetic() || c == '-' || c == '(');
                if is_prose(line) && is_prose(next) && line.len() > 30 {
                    let word = next.split(' ').next().unwrap();
                    assert!(line.len() + 1 + word.len() > columns, "{columns}: {line:?} then {next:?}");
                }
            }
        }
    }
}

#[test]
fn an_empty_instruction_set_is_none_at_all() {
    let best = text(&run(command(&["--version"]).env_remove("RECFACT_ISA"), &[]));
    assert_eq!(text(&run(command(&["--version"]).env("RECFACT_ISA", ""), &[])), best);
    let (request, response) = (request(0, 1, 1, &[2.0]), expected(0, 1, 1, &[2.0]));
    assert_eq!(run(command(&[]).env("RECFACT_ISA", ""), &request).stdout, response);
}

#[test]
fn an_instruction_set_can_be_forced_and_an_impossible_one_is_an_error() {
    let a: Vec<f64> = matrix(Kind::Uniform, 90, 70, 5);
    let (request, response) = (request(0, 90, 70, &a), expected(0, 90, 70, &a));
    for isa in recfact::Isa::ALL {
        let output = run(command(&[]).env("RECFACT_ISA", isa.name()), &request);
        if isa.is_available() {
            assert!(output.stdout == response, "{isa:?} {}", report(&output));
            let version = run(command(&["--version"]).env("RECFACT_ISA", isa.name()), &[]);
            assert!(text(&version).ends_with(&format!(" ({})\n", isa.name())));
        } else {
            assert_eq!(output.status.code(), Some(64), "{isa:?} {}", report(&output));
        }
    }
    let output = run(command(&[]).env("RECFACT_ISA", "mmx"), &request);
    assert_eq!(output.status.code(), Some(64), "{}", report(&output));
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        line.starts_with("recfact_server: expected RECFACT_ISA to be an instruction set of this CPU (portable"),
        "{line}"
    );
    assert!(line.ends_with("), got \"mmx\"\n"), "{line}");
}

#[test]
fn a_closed_stdout_ends_every_subcommand_quietly() {
    let text = b"1 2 3 4 5 6 7 8 9\n".repeat(20_000);
    let responses = expected(0, 1, 1, &[1.0]).repeat(1000);
    let decode = &["decode", "--shape", "1x1"][..];
    for (args, input) in [
        (&["encode"][..], &text),
        (decode, &responses),
        (&["demo"], &vec![]),
        (&["bench", "1"], &vec![]),
        (&["--help"], &vec![]),
        (&["--version"], &vec![]),
    ] {
        let output = run(command(args).stdout(pipe_without_reader()), input);
        assert_eq!((output.status.code(), &output.stderr[..]), (Some(8), &b""[..]), "{args:?}");
    }
}

/// Empty matrices may have any other side; nothing may be counted along it.
#[test]
fn empty_matrices_of_any_length_are_printed_and_saved() {
    for (shape, printed) in
        [("0x9223372036854775807", "0 x 9223372036854775807"), ("9223372036854775807x0", "9223372036854775807 x 0")]
    {
        let output = run(&mut command(&["decode", "--shape", shape]), &[0; 8]);
        assert_eq!(text(&output), format!("matrix 1: {printed}, f64, info 0\nempty: no factors, no row swaps\n"));
    }
    let folder = tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let output = pipeline(&[], &["--npy", out], &npy("<f8", false, "(0, 9007199254740992)", &[]));
    assert!(text(&output).starts_with("matrix 1: 0 x 9007199254740992, f64, info 0 -> "), "{}", report(&output));
}
