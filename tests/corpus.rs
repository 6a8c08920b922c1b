//! The inputs in `fuzz/corpus/`, each through the function that its fuzz target calls: what libFuzzer has found once is
//! tested for ever, and the stable compiler is enough.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use fuzz::{TARGETS, Target};

/// Each input takes about a millisecond. One that takes longer than this will take for ever where a part of it is repeated.
const PATIENCE: Duration = Duration::from_secs(10);
/// A target with fewer inputs has lost some.
const MIN_INPUTS: usize = 24;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The paths in a folder, in the order of their names.
fn list(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Whether a target finds nothing wrong with an input; if it does, the reason is on stderr.
fn holds(target: &Target, path: &Path) -> bool {
    let (input, start) = (fs::read(path).unwrap(), Instant::now());
    let result = catch_unwind(|| {
        (target.check)(&input);
        assert!(start.elapsed() < PATIENCE, "expected an end within {PATIENCE:?}, got one after {:?}", start.elapsed());
    });
    result.is_ok()
}

#[test]
fn every_target_holds_for_every_input_of_its_corpus() {
    let mut failed = Vec::new();
    for target in TARGETS {
        let inputs = list(&folder("corpus").join(target.name));
        let (name, len) = (target.name, inputs.len());
        assert!(len >= MIN_INPUTS, "expected at least {MIN_INPUTS} inputs for {name}, got {len}");
        failed.extend(inputs.into_iter().filter(|path| !holds(&target, path)));
    }
    assert!(failed.is_empty(), "the reasons stand above, in the order of these inputs: {failed:#?}");
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    for name in ["fuzz_targets", "corpus"] {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(list(&folder(name)).into_iter().map(stem).collect::<BTreeSet<String>>(), targets, "fuzz/{name}");
    }
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("\nname = \"{target}\"\n")), "{target} is a program in fuzz/Cargo.toml");
        let program = fs::read_to_string(folder("fuzz_targets").join(format!("{target}.rs"))).unwrap();
        assert!(program.contains(&format!("recfact_fuzz::{target}(data)")), "{target}.rs calls its function");
    }
}
