//! `recfact_server bench`: what it prints and saves. How long anything takes is no matter of tests.

use std::fs;

use tempfile::tempdir;

use crate::harness::{command, report, run, text};

/// The names of the columns, which are those of the lines of the plot.
const NAMES: [&str; 5] = ["in process", "mapped", "mapped floor", "pipe", "pipe floor"];

#[test]
fn the_table_the_file_and_the_plot_have_every_way_and_order() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (csv, svg, other) = (path("bench.csv"), path("bench.svg"), path("other.csv"));
    fs::write(&other, "# n, microseconds\n2, 5.5\n3, 6\n40, 30\n").unwrap();
    let line = format!("Other={other}");
    for placement in [&[][..], &["--one-cpu"]] {
        let args = ["bench", "--seconds", "0", "--csv", &csv, "--svg", &svg, "--line", &line, "2", "40"];
        let printed = text(&run(&mut command(&[&args[..], placement].concat()), &[]));
        let lines: Vec<_> = printed.lines().collect();
        assert!(lines[0].starts_with(&format!("recfact {} (", env!("CARGO_PKG_VERSION"))), "{printed}");
        assert!(NAMES.iter().all(|name| lines[2].contains(name)), "{printed}");
        assert_eq!(lines.len(), 5, "{printed}");

        let saved = fs::read_to_string(&csv).unwrap();
        let mut rows = saved.lines();
        assert_eq!(rows.next(), Some(&format!("# n,{}", NAMES.join(","))[..]));
        for (n, printed) in ["2", "40"].into_iter().zip(&lines[3..]) {
            assert_eq!(printed.split_whitespace().next(), Some(n), "{printed}");
            let row: Vec<_> = rows.next().expect("a row").split(',').collect();
            assert_eq!((row[0], row.len()), (n, 1 + NAMES.len()), "{saved}");
            for time in &row[1..] {
                let time: f64 = time.parse().expect("a number");
                assert!(time.is_finite() && time >= 0.0, "{saved}");
            }
        }
        assert_eq!(rows.next(), None, "{saved}");

        let plot = fs::read_to_string(&svg).unwrap();
        assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"), "{plot}");
        for name in NAMES.iter().chain(&["Other"]) {
            assert!(plot.lines().any(|line| line.trim() == *name), "{name}: {plot}");
        }
    }
}

#[test]
fn a_mistake_is_found_before_anything_is_measured() {
    let folder = tempdir().unwrap();
    let wide = folder.path().join("wide.csv");
    fs::write(&wide, "1,2,3\n").unwrap();
    let wide = wide.to_str().unwrap();
    let line = format!("Wide={wide}");
    let expected = format!("{wide}: expected two columns, order and microseconds, got 1 x 3");
    for (args, status, line) in [
        (&["--line", &line[..]][..], 65, &expected[..]),
        (&["--line", "None=none.csv"], 74, "none.csv: No such file or directory (os error 2)"),
        (
            &["--line", "none.csv"],
            64,
            "invalid value 'none.csv' for '--line <NAME=FILE>': expected a name, = and a file",
        ),
        (&["0"], 64, "invalid value '0' for '[N]...': 0 is not in 1..=100000"),
        (&["--seconds", "-1"], 64, "unexpected argument '-1' found"),
        (&["--seconds=NaN"], 64, "invalid value 'NaN' for '--seconds <SECONDS>': expected a number of seconds"),
    ] {
        let output = run(&mut command(&[&["bench"], args].concat()), &[]);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(status), &b""[..]), "{}", report(&output));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with(&format!("recfact_server bench: {line}")) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_plot_that_cannot_be_saved_is_an_error() {
    let output = run(&mut command(&["bench", "--seconds", "0", "--svg", "/nowhere/bench.svg", "1"]), &[]);
    assert_eq!(output.status.code(), Some(74), "{}", report(&output));
    let line = "recfact_server bench: /nowhere/bench.svg: No such file or directory (os error 2)\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
}
