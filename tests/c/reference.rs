//! LAPACK's names against the reference implementation, in both widths of integers.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Linking, Program, SCRATCH, c_library, instruction_sets, succeed, valgrind};

/// The two precisions.
const PRECISIONS: [[&str; 2]; 2] = [["-DT=double", "-DLETTER=d"], ["-DT=float", "-DLETTER=s"]];

/// Integers of one width: the flags for this library, those for the reference, and where Debian has that.
struct Width {
    flags: [&'static str; 3],
    reference_flags: [&'static str; 3],
    reference: &'static str,
}

const WIDTHS: [Width; 2] = [
    Width {
        flags: ["-DI=int32_t", "-DEND=_", "-DXERBLA=xerbla_"],
        reference_flags: ["-DI=int32_t", "-DEND=_", "-DXERBLA=xerbla_"],
        reference: "lapack/liblapack.so.3",
    },
    // Its integers have 64 bits, and its names do not say so.
    Width {
        flags: ["-DI=int64_t", "-DEND=_64_", "-DXERBLA=xerbla_64_"],
        reference_flags: ["-DI=int64_t", "-DEND=_", "-DXERBLA=xerbla_"],
        reference: "lapack64/liblapack64.so.3",
    },
];

/// The file of a reference implementation, if it is installed.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let mut files = folders.filter_map(|folder| Some(folder.ok()?.path().join(name)));
    files.find(|path| path.exists())
}

/// What the program prints with another LAPACK.
fn expected(precision: [&str; 2], width: &Width, reference: &Path) -> String {
    let folder = reference.parent().unwrap().display();
    let linked = [reference.display().to_string(), format!("-Wl,-rpath,{folder}")];
    let flags = [&precision[..], &width.reference_flags, &linked.each_ref().map(String::as_str)].concat();
    printed(&mut Command::new(&Program::compile("reference.c", Path::new(""), Linking::Flags, &flags).path))
}

fn printed(program: &mut Command) -> String {
    String::from_utf8(succeed(program).stdout).unwrap()
}

/// Whether two lines agree: they are the same, or the numbers at their ends differ by a factor of up to 10.
fn agree(ours: &str, theirs: &str) -> bool {
    let split = |line: &str| {
        line.strip_prefix("~ ")
            .and_then(|line| line.split_once(' '))
            .map(|(name, x)| (name.to_owned(), x.parse::<f64>().unwrap()))
    };
    match (split(ours), split(theirs)) {
        _ if ours == theirs => true,
        (Some((ours, x)), Some((theirs, y))) => ours == theirs && x > 0.0 && x <= 10.0 * y && y <= 10.0 * x,
        _ => false,
    }
}

#[test]
fn lapack_names_agree_with_the_reference_implementation() {
    let library = c_library::folder_with_lapack(SCRATCH);
    for width in WIDTHS {
        let reference = installed(width.reference);
        if reference.is_none() {
            eprintln!("NOT TESTED, {} is not installed: LAPACK's names against it", width.reference);
        }
        for (precision, linking) in PRECISIONS.into_iter().zip([Linking::Shared, Linking::Static]) {
            let flags = [&precision[..], &width.flags, &["-DOURS"]].concat();
            let program = Program::compile("reference.c", &library, linking, &flags);
            let ours = instruction_sets().iter().map(|isa| printed(&mut program.on(isa))).collect::<Vec<_>>();
            assert!(ours.iter().all(|output| *output == ours[0]));
            let Some(reference) = &reference else { continue };
            let expected = expected(precision, &width, reference);
            let compared = ours[0].split_once("OURS\n").unwrap().0;
            assert_eq!(compared.lines().count(), expected.lines().count());
            assert!(expected.lines().filter(|line| line.starts_with("XERBLA")).count() > 60);
            for (ours, theirs) in compared.lines().zip(expected.lines()) {
                assert!(agree(ours, theirs), "{precision:?}, {}:\n{ours}\n{theirs}", width.reference);
            }
        }
    }
}

#[test]
fn lapack_names_use_no_memory_but_their_arguments() {
    let library = c_library::folder_with_lapack(SCRATCH);
    for (precision, width) in PRECISIONS.into_iter().zip(WIDTHS) {
        let flags = [&precision[..], &width.flags, &["-DOURS", "-DFEW"]].concat();
        let program = Program::compile("reference.c", &library, Linking::Static, &flags);
        succeed(valgrind("all").arg(&program.path).env_remove("RECFACT_ISA"));
    }
}
