//! A virtual environment with the Python package as `pip install ./clients/python` leaves it, for the tests that need
//! Python. It is made once for a target folder, and the package is installed again when anything has changed that
//! goes into it.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::succeed;
use crate::root;

/// What the package is made of, beside the tools; relative to the root of the project.
const SOURCES: [&str; 10] = [
    "clients/python",
    "capi",
    "benches/plot",
    "distributed",
    "rank",
    "src",
    "build.rs",
    "include",
    "Cargo.toml",
    "Cargo.lock",
];

/// The environment's python. Tests in several programs may ask at once; `scratch` is their `CARGO_TARGET_TMPDIR`.
///
/// # Panics
/// If the environment cannot be made, or the package not be installed.
#[must_use]
pub fn python(scratch: &str) -> PathBuf {
    let folder = Path::new(scratch).join("venv");
    let python = folder.join("bin/python");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("recfact.lock")).unwrap();
    lock.lock().unwrap();

    let (stamp, sources) = (folder.join("recfact.sources"), hash_of_sources());
    if !python.exists() || fs::read_to_string(&stamp).ok().as_ref() != Some(&sources) {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        succeed(Command::new(&python).args(["-m", "pip", "install", "./clients/python[test]"]).current_dir(root()));
        fs::write(&stamp, sources).unwrap();
    }
    python
}

fn hash_of_sources() -> String {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        hash(&root().join(source), &mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Hashes the names and contents of files, without what tools leave between them and without the package's tests.
fn hash(path: &Path, hasher: &mut DefaultHasher) {
    let name = path.file_name().unwrap().to_string_lossy();
    if name.starts_with(['.', '_']) && path.is_dir()
        || name.ends_with(".so")
        || path.ends_with("src/recfact/recfact_rank")
        || path.ends_with("python/tests")
    {
        return;
    }
    name.hash(hasher);
    if path.is_file() {
        fs::read(path).unwrap().hash(hasher);
        return;
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().for_each(|entry| hash(entry, hasher));
}
