//! LAPACK's own test programs (Debian's `liblapack-test`) with this library before LAPACK: error exits, and results within the
//! thresholds that LAPACK has for its own.

use std::fs::{File, read_to_string, write};
use std::path::Path;
use std::process::Command;

use super::reference::installed;
use super::{SCRATCH, c_library, instruction_sets, succeed};

/// A program, its input, the lines of the input that name kinds of matrices which are nothing to this library, and what it says of
/// each part that is right.
struct Suite {
    program: &'static str,
    input: &'static str,
    general: &'static str,
    passed: &'static [&'static str],
}

const SUITES: [Suite; 3] = [
    Suite {
        program: "xlintstd",
        input: "dtest.in",
        general: "DGE",
        passed: &[
            "DGE routines passed the tests of the error exits",
            "All tests for DGE routines passed the threshold (   3653 tests run)",
            "DGE drivers passed the tests of the error exits",
            "All tests for DGE drivers  passed the threshold (   5748 tests run)",
        ],
    },
    Suite {
        program: "xlintsts",
        input: "stest.in",
        general: "SGE",
        passed: &[
            "SGE routines passed the tests of the error exits",
            "All tests for SGE routines passed the threshold (   3653 tests run)",
            "SGE drivers passed the tests of the error exits",
            "All tests for SGE drivers  passed the threshold (   5748 tests run)",
        ],
    },
    Suite {
        program: "xlintstds",
        input: "dstest.in",
        general: "DGE",
        passed: &[
            "DSGESV drivers passed the tests of the error exits",
            "All tests for DSGESV routines passed the threshold (    324 tests run)",
        ],
    },
];

impl Suite {
    /// Writes the input without the other kinds of matrices to a file.
    fn input(&self, folder: &Path) -> File {
        let is_wanted = |line: &&str| {
            line.starts_with(self.general)
                || !line.starts_with(&self.general[..1])
                || !line.chars().take(3).all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        };
        let text = read_to_string(folder.join(self.input)).unwrap();
        let lines: String = text.lines().filter(is_wanted).map(|line| format!("{line}\n")).collect();
        let path = Path::new(SCRATCH).join(self.input);
        write(&path, lines).unwrap();
        File::open(path).unwrap()
    }
}

#[test]
fn the_test_programs_of_lapack_pass() {
    let (Some(program), Some(blas)) = (installed("lapack/xlintstd"), installed("blas/libblas.so.3")) else {
        eprintln!("NOT TESTED, liblapack-test and libblas3 are not both installed: LAPACK's own test programs");
        return;
    };
    let (folder, library) = (program.parent().unwrap(), c_library::folder_with_lapack(SCRATCH));
    // Whatever BLAS is installed beside it, the programs compute with the reference, by which their thresholds were chosen.
    let libraries = format!("{}:{}", folder.display(), blas.parent().unwrap().display());
    for isa in instruction_sets() {
        for suite in &SUITES {
            let mut command = Command::new(folder.join(suite.program));
            command.env("LD_PRELOAD", library.join("librecfact.so")).env("LD_LIBRARY_PATH", &libraries);
            command.env("RECFACT_ISA", isa).stdin(suite.input(folder));
            let said = String::from_utf8(succeed(&mut command).stdout).unwrap();
            for line in suite.passed {
                assert!(said.contains(line), "{} on {isa}: no line {line:?} in\n{said}", suite.program);
            }
        }
    }
}
