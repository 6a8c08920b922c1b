//! Launchers that are none, that say anything or nothing, and libraries that do not belong to them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testing::npy::Npy;

use crate::folder::{Folder, Started, one_line, said};
use crate::machine::{EXECUTABLE, Mpi};

/// A folder with a matrix.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.save("a.npy", &Npy::of(true, &[2, 2], &[4.0, 6.0, 3.0, 3.0]));
    folder
}

fn factor(folder: &Folder, launcher: &str) -> Command {
    folder.command("factor", launcher, "a.npy -o f")
}

/// A launcher that is a shell's script.
fn shell(script: &str) -> String {
    assert!(!script.contains('\''));
    format!("sh -c '{script}'")
}

const NO_RESULT: &str = "expected a result of the ranks, but ";

#[test]
fn a_launcher_that_is_missing_or_cannot_be_run_is_named() {
    let folder = folder();
    folder.write("not-a-program", "");
    let missing = "expected to start the launcher no-such-launcher, got: No such file or directory";
    folder.fails(&mut factor(&folder, "no-such-launcher -n 2"), 69, &[missing]);
    let refused = "expected to start the launcher ./not-a-program, got: Permission denied";
    folder.fails(&mut factor(&folder, "./not-a-program -n 2"), 69, &[refused]);
    let refused = "expected to start the launcher ., got: Permission denied";
    folder.fails(&mut factor(&folder, "."), 69, &[refused]);
}

#[test]
fn a_launcher_that_is_none_of_mpi_is_an_error_of_the_rank() {
    let folder = folder();
    let message = "expected to be started by mpirun, mpiexec or srun, which set OMPI_COMM_WORLD_SIZE and";
    folder.fails(&mut factor(&folder, "env"), 69, &[message, "got none of them; is the launcher one of MPI?"]);
    folder.fails(&mut factor(&folder, "env PMI_SIZE=2 PMI_RANK=2"), 69, &[message]);
    folder.fails(&mut factor(&folder, "env OMPI_COMM_WORLD_SIZE=x OMPI_COMM_WORLD_RANK=0"), 69, &[message]);
}

#[test]
fn a_launcher_that_ends_without_a_result_is_named_with_its_status_and_its_words() {
    let folder = folder();
    let cases = [
        ("true".to_owned(), "true ended with exit status 0: it said nothing"),
        ("false".into(), "false ended with exit status 1: it said nothing"),
        (shell("kill -9 $$"), "sh ended with signal 9: it said nothing"),
        (shell("echo no slots; echo; echo ----; echo are left >&2; exit 3"), "sh ended with exit status 3: "),
        // A line of the rank that is not understood explains most.
        (shell("echo other; echo recfact_rank: what; exit 3"), "exit status 3: what"),
        (shell("echo recfact_rank: result info=0; exit 3"), "exit status 3: result info=0"),
        (shell("echo recfact_rank: alive 0 2; exit 3"), "sh ended with exit status 3: it said nothing"),
    ];
    for (launcher, message) in cases {
        folder.fails(&mut factor(&folder, &launcher), 69, &[NO_RESULT, message]);
    }
}

/// However much it is, the message stays one line of bounded length, and shows no control character.
#[test]
fn garbage_from_a_launcher_is_one_short_line() {
    let folder = folder();
    folder.write("binary", (0..=255).cycle().take(1 << 20).collect::<Vec<u8>>());
    let scripts = [
        "cat binary; exit 3",
        "cat binary >&2; exit 3",
        "head -c 3000000 /dev/zero; exit 3",
        "head -c 3000000 /dev/zero | tr \"\\\\0\" x; exit 3",
        "yes garbage | head -n 200000; exit 3",
        "echo recfact_rank: $(head -c 100000 /dev/zero | tr \"\\\\0\" x); exit 3",
    ];
    for script in scripts {
        folder.write_older_results();
        let before = folder.contents();
        let output = folder.run(&mut factor(&folder, &shell(script)));
        folder.check_failure(&before, &output, 69, &[NO_RESULT, "sh ended with exit status 3: "]);
        let line = one_line(&output);
        assert!(line.len() < 1000 && !line.contains(char::is_control), "{script}: {line:?}");
    }
}

/// Lines come in pieces, with the number of a rank before them, and without an end.
#[test]
fn lines_of_the_ranks_are_found_among_others() {
    let folder = folder();
    let error = "recfact_rank: error file it is so";
    let scripts = [
        "printf \"recfact_rank: err\"; sleep 0.3; printf \"or file it is\"; sleep 0.3; echo \" so\"; cat a.npy".into(),
        format!("echo \"[1,0]<stdout>: {error}\""),
        format!("echo \"0: {error}\" >&2"),
        format!("printf \"{error}\""),
        format!("head -c 200000 /dev/zero; echo; echo \"{error}\""),
        format!("echo \"{error}\"; echo recfact_rank: error engine something else; exit 5"),
        format!("printf \"{error}\\r\\n\""),
        // Nobody waits for the pipes to be closed.
        format!("sleep 1 & echo \"{error}\""),
        format!("exec 2>&-; echo \"{error}\"; exec 1>&-; sleep 0.5"),
    ];
    for script in scripts {
        folder.fails(&mut factor(&folder, &shell(&script)), 65, &["recfact_server factor: it is so"]);
    }
}

/// A launcher has five seconds to leave, then it is asked to, then it is killed with all of its group.
#[test]
fn a_launcher_that_does_not_leave_is_ended() {
    let folder = folder();
    let says = "echo recfact_rank: error memory no room";
    let scripts =
        [format!("{says}; exec sleep 1000"), format!("trap \"\" TERM INT HUP; {says}; while :; do sleep 1; done")];
    // All at the same time, since it takes long.
    let jobs = scripts.iter().map(|script| {
        let mut job = folder.start(&mut factor(&folder, &shell(script)));
        job.only_waits();
        job
    });
    let outputs: Vec<_> = jobs.collect::<Vec<_>>().into_iter().map(Started::output).collect();
    folder.check_nothing_is_left(&[]);
    for output in outputs {
        assert_eq!((output.status.code(), &one_line(&output)[..]), (Some(4), "recfact_server factor: no room"));
    }
}

/// It cannot be known whose fault that is, but the message says which rank it is.
#[test]
fn a_rank_that_is_never_heard_again_is_named() {
    let folder = folder();
    let script = "echo recfact_rank: alive 1 3; while :; do echo recfact_rank: alive 0 3; \
        echo recfact_rank: alive 2 3; sleep 0.2; done";
    let mut command = folder.command("factor", &shell(script), "a.npy -o f --silence 1");
    let words = ["expected to hear from every rank, but rank 1 of 3 has been silent for 1", "; its host may be gone"];
    folder.fails(&mut command, 69, &words);
}

#[test]
fn the_program_of_a_rank_that_is_missing_or_is_none_is_an_error() {
    let folder = folder();
    let missing = folder.file("no-such-program");
    let mut command = factor(&folder, &shell("touch started"));
    let message =
        format!("expected the program of the ranks, {}, as RECFACT_RANK says, got no such", missing.display());
    folder.fails(command.env("RECFACT_RANK", &missing), 69, &[&message, "build it with cargo build"]);

    // Without the variable it is beside the executable.
    fs::create_dir(folder.file("bin")).unwrap();
    fs::copy(EXECUTABLE, folder.file("bin/recfact_server")).unwrap();
    let mut alone = folder.program(folder.file("bin/recfact_server").to_str().unwrap());
    alone.args(["factor", "--launcher", "touch started", "a.npy", "-o", "f"]);
    let message = "bin/recfact_rank, as the folder of this executable says, got no such file;";
    folder.fails(alone.env_remove("RECFACT_RANK"), 69, &[message]);
    folder.fails(alone.env("RECFACT_RANK", ""), 69, &[message]);
    fs::remove_file(folder.file("bin/recfact_server")).unwrap();

    let script = |name: &str, text: &str, mode: u32| {
        folder.write(name, text);
        fs::set_permissions(folder.file(name), fs::Permissions::from_mode(mode)).unwrap();
        folder.file(name)
    };
    let [no_program, silent, failing] = [
        script("no-program", "#!/bin/sh\n", 0o644),
        script("silent", "#!/bin/sh\nexit 0\n", 0o755),
        script("failing", "#!/bin/sh\necho it is broken >&2\nexit 7\n", 0o755),
    ];
    for mpi in Mpi::present("programs of a rank that are none") {
        let launcher = mpi.ranks(2);
        let fails = |program: &Path, word: &str| {
            let ended = format!("{NO_RESULT}{} ended with ", mpi.mpirun());
            folder.fails(factor(&folder, &launcher).env("RECFACT_RANK", program), 69, &[&ended, word]);
        };
        fails(&no_program, "no-program");
        fails(&silent, "exit status 0: it said nothing");
        fails(&failing, "");
    }
}

#[test]
fn a_library_that_is_missing_or_is_no_scalapack_is_named() {
    let folder = folder();
    folder.write("text.so", "not a library");
    let text = folder.file("text.so");
    for mpi in Mpi::present("libraries that are no ScaLAPACK") {
        let fails = |libraries: &str, words: &[&str]| {
            let mut command = factor(&folder, &mpi.ranks(2));
            folder.fails(command.env("RECFACT_SCALAPACK", libraries), 69, words);
        };
        let got_none = "_ in the libraries of ScaLAPACK, got none";
        fails("libnowhere.so.1", &["expected the library libnowhere.so.1 of RECFACT_SCALAPACK, got: "]);
        fails(&format!("libm.so.6:{}", text.display()), &["text.so of RECFACT_SCALAPACK, got: "]);
        fails("libm.so.6", &["expected blacs_pinfo", got_none]);
        fails("libc.so.6:libm.so.6", &["expected blacs_pinfo", got_none]);
    }
}

/// The dynamic linker knows why it did not load a library: it is not there, or it is none, or what it needs is not
/// there.
#[test]
fn the_message_about_a_library_says_why_it_cannot_be_loaded() {
    let folder = folder();
    let Some(mpi) = Mpi::present("the reason why a library is not loaded").pop() else { return };
    let mut command = factor(&folder, &mpi.ranks(1));
    let words = ["libnowhere.so.1", "cannot open shared object file"];
    folder.fails(command.env("RECFACT_SCALAPACK", "libnowhere.so.1"), 69, &words);
}

/// Each rank would take itself for the only one, and all of them would write the same files.
#[test]
fn a_launcher_and_a_library_of_different_mpis_are_an_error_before_anything_is_written() {
    let folder = folder();
    let mpis = Mpi::present("a launcher and a library of different MPIs");
    if mpis.len() < 2 {
        return;
    }
    for [launcher, library] in [[Mpi::Open, Mpi::Mpich], [Mpi::Mpich, Mpi::Open]] {
        let mut command = factor(&folder, &launcher.ranks(2));
        let words =
            ["expected 2 ranks, as the launcher has started, got 1 in MPI", "belong to different MPIs: use mpirun"];
        folder.fails(command.env("RECFACT_SCALAPACK", library.scalapack()), 69, &words);
        // The right one by name is as good as none.
        folder.succeeds(factor(&folder, &launcher.ranks(2)).env("RECFACT_SCALAPACK", launcher.scalapack()));
        folder.succeeds(factor(&folder, &launcher.ranks(2)).env("RECFACT_SCALAPACK", ""));
        for result in ["f-lu.npy", "f-ipiv.npy"] {
            fs::remove_file(folder.file(result)).unwrap();
        }
    }
}

/// More ranks than there are slots, and an option that is none: the launcher's own words are passed on.
#[test]
fn what_the_launcher_says_of_its_options_is_passed_on() {
    let folder = folder();
    for mpi in Mpi::present("what launchers say of their options") {
        let launcher = format!("{} --no-such-option", mpi.mpirun());
        folder.fails(&mut factor(&folder, &launcher), 69, &[NO_RESULT, mpi.mpirun(), "no-such-option"]);
    }
}

/// A launcher may be a script with arguments in quotes, and the folder may have any name.
#[test]
fn a_launcher_is_split_into_words_as_a_shell_does_it() {
    let folder = folder();
    for mpi in Mpi::present("launchers with quotes") {
        let script = format!("#!/bin/sh\n[ \"$1\" = \"two words\" ] && shift && exec {} \"$@\"\n", mpi.ranks(2));
        folder.write("my launcher", script);
        fs::set_permissions(folder.file("my launcher"), fs::Permissions::from_mode(0o755)).unwrap();
        folder.succeeds(&mut factor(&folder, "\"./my launcher\" 'two words'"));
    }
}

/// What is closed when the executable starts is not mistaken for a pipe of the launcher.
#[test]
fn closed_streams_change_nothing() {
    let folder = folder();
    for mpi in Mpi::present("closed streams") {
        for closed in [">&-", "<&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"] {
            let mut command = folder.program("sh");
            let script = format!("exec \"$0\" factor --launcher \"{}\" a.npy -o f {closed}", mpi.ranks(2));
            let output = folder.run(command.args(["-c", &script, EXECUTABLE]));
            assert!(output.status.success(), "{closed}: {}", said(&output));
            assert_eq!(folder.load("f-ipiv.npy").integers(), [2, 2]);
            fs::remove_file(folder.file("f-ipiv.npy")).unwrap();
        }
    }
}
