//! The C library from C: every export, linked both ways, under valgrind; its symbols and its size; threads, fork and
//! dlopen; the bits of the executable.

mod programs;
mod reference;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::{TempDir, tempdir};
use testing::process::{self, report};
use testing::wire::{request, unify_nan};
use testing::{INSTRUCTION_SETS, KINDS, Kind, c_library, instruction_sets, matrix};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// How a program gets the library.
#[derive(Debug, Clone, Copy)]
enum Linking {
    Shared,
    Static,
    /// As the flags say: it is another library.
    Flags,
}

const BOTH: [Linking; 2] = [Linking::Shared, Linking::Static];

/// Runs a command that must end well, without Cargo's own LD_LIBRARY_PATH: a program could find another library there
/// than the one that it was linked with.
fn succeed(command: &mut Command) -> Output {
    process::succeed(command.env_remove("LD_LIBRARY_PATH"))
}

fn compiler(program: &str) -> Command {
    let mut compiler = Command::new(program);
    compiler.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1"]).arg(format!("-I{ROOT}/include"));
    compiler.arg(format!("-DVERSION=\"{}\"", env!("CARGO_PKG_VERSION")));
    compiler
}

/// A program of this folder.
struct Program {
    _folder: TempDir,
    path: PathBuf,
}

impl Program {
    fn compile(source: &str, library: &Path, linking: Linking, flags: &[&str]) -> Program {
        let folder = tempdir().unwrap();
        let path = folder.path().join("program");
        let (program, standard) = if source.ends_with(".cpp") { ("c++", "-std=c++11") } else { ("cc", "-std=c11") };
        let mut compiler = compiler(program);
        compiler.arg(standard).arg(format!("{ROOT}/tests/c/{source}")).args(flags).arg("-o").arg(&path);
        let library = library.display();
        match linking {
            Linking::Shared => {
                compiler.args([format!("-L{library}"), "-lrecfact".into(), format!("-Wl,-rpath,{library}")])
            }
            Linking::Static => compiler.arg(format!("{library}/librecfact.a")),
            Linking::Flags => &mut compiler,
        };
        succeed(compiler.args(["-lm", "-lpthread", "-ldl"]));
        Program { _folder: folder, path }
    }

    /// The program on an instruction set.
    fn on(&self, instruction_set: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.env("RECFACT_ISA", instruction_set);
        command
    }
}

/// Valgrind, for which errors and memory that is lost in these ways are failures.
fn valgrind(leak_kinds: &str) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all"]);
    valgrind.arg(format!("--errors-for-leak-kinds={leak_kinds}"));
    valgrind
}

#[test]
fn every_export_works_and_refuses_what_is_wrong() {
    let library = c_library::folder(SCRATCH);
    for linking in BOTH {
        let program = Program::compile("every_export.c", &library, linking, &[]);
        for isa in instruction_sets() {
            succeed(&mut program.on(isa));
        }
        // No error, no byte that is still allocated, no thread that is left.
        succeed(valgrind("all").arg(&program.path).env_remove("RECFACT_ISA"));
        // The value of the variable stays in memory. Valgrind's CPU has no AVX-512.
        for isa in instruction_sets().iter().filter(|isa| **isa != "avx512") {
            succeed(valgrind("definite,indirect,possible").arg(&program.path).env("RECFACT_ISA", isa));
        }
    }
}

#[test]
fn batches_have_the_bits_of_calls_for_each_matrix_and_wrong_ones_are_refused() {
    let library = c_library::folder(SCRATCH);
    let programs = BOTH.map(|linking| Program::compile("batch.c", &library, linking, &[]));
    for (isa, program) in instruction_sets().iter().zip(programs.iter().cycle()) {
        succeed(&mut program.on(isa));
    }
    // Valgrind's CPU has no AVX-512: it runs the kernels of AVX2, if this CPU has them.
    for linking in BOTH {
        let program = Program::compile("batch.c", &library, linking, &["-DFEW"]);
        succeed(valgrind("all").arg(&program.path).env_remove("RECFACT_ISA"));
    }
}

#[test]
fn the_header_is_c99_and_cpp() {
    let header = format!("{ROOT}/include/recfact.h");
    for (program, args) in [("cc", ["-std=c99", "-xc"]), ("c++", ["-std=c++11", "-xc++"])] {
        succeed(compiler(program).args(args).args(["-fsyntax-only", &header]));
    }
}

#[test]
fn threads_and_forks_and_a_thousand_loads_leave_nothing_behind() {
    let library = c_library::folder(SCRATCH);
    let program = Program::compile("threads.c", &library, Linking::Static, &[]);
    succeed(Command::new(&program.path).arg(library.join("librecfact.so")));
}

#[test]
fn a_program_whose_first_thread_ends_by_itself_ends() {
    let library = c_library::folder(SCRATCH);
    for linking in BOTH {
        let program = Program::compile("first_thread.c", &library, linking, &[]);
        // A process that waits for its helpers would wait for ever.
        succeed(Command::new("timeout").args(["--signal=KILL", "60"]).arg(&program.path));
    }
}

#[test]
fn lapack_names_behave_as_lapack_says() {
    let library = c_library::folder_with_lapack(SCRATCH);
    for linking in BOTH {
        // Without -rdynamic XERBLA is in no table in which the dynamic linker would find it.
        for flags in [&["-DWITH_XERBLA", "-rdynamic"][..], &["-DWITH_XERBLA"], &[]] {
            let program = Program::compile("lapack.c", &library, linking, flags);
            for isa in instruction_sets() {
                let stderr = succeed(&mut program.on(isa)).stderr;
                assert_eq!(stderr.is_empty(), !flags.is_empty());
            }
        }
    }
}

#[test]
fn an_xerbla_is_found_in_a_static_program_and_later_and_without_one_there_is_a_message() {
    let library = c_library::folder_with_lapack(SCRATCH);
    let program = Program::compile("lapack.c", &library, Linking::Static, &["-DWITH_XERBLA", "-static"]);
    assert!(succeed(&mut Command::new(&program.path)).stderr.is_empty());

    let message = " ** On entry to DGETRF parameter number  4 had an illegal value\n";
    for linking in BOTH {
        let program = Program::compile("late_xerbla.c", &library, linking, &[]);
        assert_eq!(String::from_utf8_lossy(&succeed(&mut Command::new(&program.path)).stderr), message);
        let folder = tempdir().unwrap();
        let plugin = folder.path().join("xerbla.so");
        let mut plugin_compiler = compiler("cc");
        plugin_compiler.args(["-shared", "-fPIC", "-DPLUGIN"]).arg(format!("{ROOT}/tests/c/late_xerbla.c"));
        succeed(plugin_compiler.arg("-o").arg(&plugin));
        let output = succeed(Command::new(&program.path).arg(&plugin));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "DGETRF 4\n");
        assert_eq!(String::from_utf8_lossy(&output.stderr), message);
    }
}

#[test]
fn a_bad_instruction_set_is_a_status_and_under_lapack_names_one_line() {
    let (library, with_lapack) = (c_library::folder(SCRATCH), c_library::folder_with_lapack(SCRATCH));
    let program = Program::compile("bad_isa.c", &library, Linking::Shared, &[]);
    let under_lapack = Program::compile("bad_isa.c", &with_lapack, Linking::Shared, &["-DWITH_LAPACK"]);
    let (available, best) = (instruction_sets().join(", "), instruction_sets().last().unwrap());
    for name in
        ["mmx"].into_iter().chain(INSTRUCTION_SETS.into_iter().filter(|name| !instruction_sets().contains(name)))
    {
        assert!(succeed(&mut program.on(name)).stderr.is_empty());
        let line = String::from_utf8(succeed(&mut under_lapack.on(name)).stderr).unwrap();
        let end = format!("; using {best}\n");
        assert!(line.starts_with("recfact: expected RECFACT_ISA to be an instruction set of this CPU"), "{line}");
        assert!(line.contains(&available) && line.contains(name), "{line}");
        assert!(line.ends_with(&end) && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn without_memory_every_function_gives_the_same_bits() {
    let double = [
        "-DT=double",
        "-DFACTOR=recfact_factor_f64",
        "-DSOLVE=recfact_solve_f64",
        "-DGETRF=dgetrf_",
        "-DGETRS=dgetrs_",
        "-DLETTER=d",
        "-DSUFFIX=f64",
    ];
    let single = [
        "-DT=float",
        "-DFACTOR=recfact_factor_f32",
        "-DSOLVE=recfact_solve_f32",
        "-DGETRF=sgetrf_",
        "-DGETRS=sgetrs_",
        "-DLETTER=s",
        "-DSUFFIX=f32",
    ];
    let (library, with_lapack) = (c_library::folder(SCRATCH), c_library::folder_with_lapack(SCRATCH));
    for (names, gesv) in [(double, "-DGESV=dgesv_"), (single, "-DGESV=sgesv_")] {
        for (library, lapack) in [(&library, "-DWITHOUT_LAPACK"), (&with_lapack, "-DWITH_LAPACK")] {
            for isa in instruction_sets() {
                // Where the fused multiply-add is a function of the C library, a smaller matrix must do.
                let order = if *isa == "portable" { "-DN=300" } else { "-DN=2000" };
                let flags = [&names[..], &[gesv, lapack, order]].concat();
                succeed(&mut Program::compile("memory.c", library, Linking::Shared, &flags).on(isa));
            }
        }
    }
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "a C++ exception from XERBLA ends the process on this CPU")]
fn an_xerbla_may_throw() {
    let library = c_library::folder_with_lapack(SCRATCH);
    for linking in BOTH {
        succeed(&mut Command::new(&Program::compile("xerbla.cpp", &library, linking, &["-rdynamic"]).path));
    }
}

/// What the dynamic symbol table defines.
fn exported(library: &Path) -> BTreeSet<String> {
    let mut nm = Command::new("nm");
    let output = succeed(nm.args(["--dynamic", "--defined-only", "--format=posix"]).arg(library.join("librecfact.so")));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn the_library_exports_what_the_header_says_and_nothing_else() {
    let header = fs::read_to_string(format!("{ROOT}/include/recfact.h")).unwrap();
    let code: String = header.split("/*").map(|part| part.rsplit("*/").next().unwrap()).collect();
    // A declaration is a name of ours before a parenthesis.
    let mut declared: BTreeSet<String> = code
        .split('(')
        .filter_map(|before| before.rsplit([' ', '*', '\n']).next())
        .filter(|name| name.starts_with("recfact_") || name.starts_with("recursive_lu_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(declared.len(), 41, "{declared:?}");
    let marked: Vec<String> =
        declared.iter().filter(|name| name.starts_with("recursive")).map(|name| format!("{name}!")).collect();
    declared.extend(marked);
    assert_eq!(exported(&c_library::folder(SCRATCH)), declared);

    // The comment at the header's end names LAPACK's.
    let list = header.split("With the cargo feature lapack").nth(1).unwrap().split("*/").next().unwrap();
    let words = list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let lapack: BTreeSet<String> = words.filter(|word| word.ends_with('_')).map(str::to_owned).collect();
    assert_eq!(lapack.len(), 58, "{lapack:?}");
    let for_batches = lapack.iter().filter(|name| name.contains("batch"));
    declared.extend(for_batches.map(|name| name.strip_suffix('_').unwrap().to_owned()));
    declared.extend(lapack);
    assert_eq!(exported(&c_library::folder_with_lapack(SCRATCH)), declared);
}

#[test]
fn the_shared_library_is_small_and_stays_loaded() {
    for library in [c_library::folder(SCRATCH), c_library::folder_with_lapack(SCRATCH)] {
        let stripped = tempdir().unwrap().path().with_extension("so");
        succeed(Command::new("strip").arg("-o").arg(&stripped).arg(library.join("librecfact.so")));
        let size = fs::metadata(&stripped).unwrap().len();
        fs::remove_file(&stripped).unwrap();
        assert!(size < 1328 << 10, "{} has {size} bytes", library.display());
        let dynamic = succeed(Command::new("readelf").args(["--dynamic", "--wide"]).arg(library.join("librecfact.so")));
        assert!(String::from_utf8_lossy(&dynamic.stdout).contains("NODELETE"));
    }
}

/// Every command, kind of matrix, and shape.
fn cases() -> impl Iterator<Item = (u8, Kind, usize, usize)> {
    let shapes = [(0, 3), (1, 1), (7, 5), (40, 40), (33, 130), (200, 90), (150, 150)];
    let kinds = (0..8).flat_map(|command| KINDS.map(|kind| (command, kind)));
    kinds.flat_map(move |(command, kind)| shapes.map(|(m, n)| (command, kind, m, n)))
}

fn request_for((command, kind, m, n): (u8, Kind, usize, usize)) -> Vec<u8> {
    let seed = (m * 1000 + n) as u64;
    match command & 1 {
        0 => request::<f64>(command, m, n, &matrix(kind, m, n, seed)),
        _ => request::<f32>(command, m, n, &matrix(kind, m, n, seed)),
    }
}

/// The answers of a program to the requests for all cases, on an instruction set.
fn answers(program: &Path, isa: &str, requests: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let output =
        process::run(command.env("RECFACT_ISA", isa).env_remove("LD_LIBRARY_PATH").stdout(Stdio::piped()), requests);
    assert!(output.status.success(), "{}: {}", program.display(), report(&output));
    let mut answers = output.stdout;
    unify_nan(&mut answers, cases().map(|(command, _, m, n)| (command, m, n)));
    answers
}

#[test]
fn the_library_gives_the_bits_of_the_executable() {
    let library = c_library::folder(SCRATCH);
    let requests: Vec<u8> = cases().flat_map(request_for).collect();
    let executable = Path::new(env!("CARGO_BIN_EXE_recfact_server"));
    let programs = BOTH.map(|linking| Program::compile("session.c", &library, linking, &[]));
    let expected = answers(executable, "portable", &requests);
    assert!(expected.len() > requests.len());
    for isa in instruction_sets() {
        for program in [executable, &programs[0].path, &programs[1].path] {
            assert!(answers(program, isa, &requests) == expected, "{} on {isa}", program.display());
        }
    }
}
