//! The Julia package: its own tests, with the executable and the library of this build, and how it is installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};
use testing::julia::julia;
use testing::process::succeed;
use testing::{c_library, root};

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
const EXECUTABLE: &str = env!("CARGO_BIN_EXE_recfact_server");

fn library() -> PathBuf {
    c_library::folder(SCRATCH).join("librecfact.so")
}

#[test]
fn the_tests_of_the_package_pass() {
    let Some(mut julia) = julia(SCRATCH, "clients/julia/test/runtests.jl") else { return };
    julia.arg("clients/julia/test/runtests.jl").current_dir(root());
    succeed(julia.env("RECFACT_SERVER", EXECUTABLE).env("RECFACT_LIBRARY", library()));
}

/// Copies a folder, without what was built in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "deps") {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A checkout with nothing but the package, and a `cargo` that has built already; the folder of that `cargo`.
fn checkout() -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    copy(&root().join("clients/julia"), &folder.path().join("clients/julia"));
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let release = folder.path().join("target/release");
    fs::create_dir_all(&release).unwrap();
    fs::copy(EXECUTABLE, release.join("recfact_server")).unwrap();
    fs::copy(library(), release.join("librecfact.so")).unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let cargo = bin.join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho cargo \"$@\"\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, bin)
}

/// As the package's README says: develop, build, use. The registry that Pkg wants to see is an empty one.
#[test]
fn the_package_is_developed_and_built_as_its_readme_says() {
    let Some(mut julia) = julia(SCRATCH, "Pkg.develop and Recfact.build") else { return };
    let (folder, bin) = checkout();
    let depot = folder.path().join("depot");
    fs::create_dir_all(depot.join("registries/Empty")).unwrap();
    let registry = "name = \"Empty\"\nuuid = \"23338594-aafe-5451-b93e-139f81909107\"\nrepo = \"\"\n[packages]\n";
    fs::write(depot.join("registries/Empty/Registry.toml"), registry).unwrap();

    let readme = fs::read_to_string(root().join("clients/julia/README.md")).unwrap();
    let install = readme.split("```jl\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let program = format!(
        "{install}
        print(Recfact.backend(), ' ', Recfact.lu([4 3; 6 3]).ipiv, ' ')
        Recfact.backend!(:server)
        print(Recfact.in_use().path, ' ', Recfact.lu([4 3; 6 3]).ipiv)"
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    julia.args(["-e", &program]).current_dir(&folder).env("PATH", path).env_remove("CARGO_TARGET_DIR");
    let output = succeed(julia.env("JULIA_DEPOT_PATH", &depot).env_remove("JULIA_LOAD_PATH"));

    let folder = folder.path().display();
    let cargo = format!("cargo build --release --manifest-path {folder}/Cargo.toml --target-dir {folder}/target\n");
    let expected = format!("{cargo}library [2, 2] {folder}/clients/julia/deps/recfact_server [2, 2]");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn the_benchmark_runs() {
    let Some(mut julia) = julia(SCRATCH, "clients/julia/benches/lu.jl") else { return };
    julia.args(["clients/julia/benches/lu.jl", "10"]).current_dir(root());
    let output = succeed(julia.env("RECFACT_SERVER", EXECUTABLE).env("RECFACT_LIBRARY", library()));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed.lines().last().map(|line| line.matches('(').count()), Some(5), "{printed}");
}
