//! Names of results that cannot be written, and options that cannot be followed.

use std::fs;

use testing::npy::Npy;
use testing::{Kind, matrix, naive_lu};

use crate::folder::Folder;
use crate::machine::Mpi;

/// A folder with a small system.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.save("a.npy", &Npy::of::<f64>(true, &[7, 7], &matrix(Kind::Uniform, 7, 7, 1)));
    folder.save("b.npy", &Npy::of::<f64>(true, &[7, 1], &matrix(Kind::Uniform, 7, 1, 2)));
    folder
}

#[test]
fn a_result_that_cannot_be_written_is_named_and_older_results_stay() {
    let folder = folder();
    fs::create_dir(folder.file("is-a-folder.npy")).unwrap();
    fs::create_dir(folder.file("g-lu.npy")).unwrap();
    let long = "n".repeat(260);
    let long = long.as_str();
    for mpi in Mpi::present("results that cannot be written") {
        let launcher = &mpi.ranks(2);
        let fails = |subcommand: &str, args: &str, message: &str| {
            folder.fails(&mut folder.command(subcommand, launcher, args), 65, &["rank 0 of 2 on ", message]);
        };
        fails("solve", "a.npy b.npy -o no/x.npy", "no/x.npy: No such file or directory");
        fails("solve", "a.npy b.npy -o a.npy/x.npy", "a.npy/x.npy: Not a directory");
        fails(
            "solve",
            "a.npy b.npy -o is-a-folder.npy",
            "is-a-folder.npy: expected the name of a file, got that of a folder",
        );
        fails("solve", "a.npy b.npy -o /proc/x.npy", "/proc/x.npy: ");
        fails("solve", &format!("a.npy b.npy -o {long}.npy"), "File name too long");
        fails("factor", "a.npy -o no/f", "no/f-lu.npy: No such file or directory");
        fails("factor", "a.npy -o g", "g-lu.npy: expected the name of a file, got that of a folder");
    }
}

/// Factors and row swaps belong together: new ones beside old ones would be those of no matrix.
#[test]
fn row_swaps_that_cannot_be_written_leave_the_older_factors() {
    let folder = folder();
    fs::create_dir(folder.file("h-ipiv.npy")).unwrap();
    folder.write("h-lu.npy", "older factors");
    for mpi in Mpi::present("row swaps that cannot be written") {
        let message = "h-ipiv.npy: expected the name of a file, got that of a folder";
        folder.fails(&mut folder.command("factor", &mpi.ranks(2), "a.npy -o h"), 65, &[message]);
    }
}

/// A name is one argument of one program, whatever it looks like.
#[test]
fn names_are_never_options_or_commands() {
    let folder = folder();
    let (a, b) = (folder.load("a.npy"), folder.load("b.npy"));
    let naive = naive_lu(&a.columns::<f64>(), 7, 7, true);
    let names = [":", "-x", "--launcher=true", "; touch marker", "$(touch marker)", "a b", "ö\u{2028}", "%s"];
    for mpi in Mpi::present("names that look like options or commands") {
        for name in names {
            folder.save(name, &a);
            let mut command =
                folder.executable(&["factor", "--launcher", &mpi.ranks(2), &format!("--output={name}"), "--", name]);
            folder.succeeds(&mut command);
            let ipiv = format!("{name}-ipiv.npy");
            assert_eq!(folder.load(&ipiv).integers(), naive.ipiv, "{name:?}");
            for made in [name.to_owned(), ipiv, format!("{name}-lu.npy")] {
                fs::remove_file(folder.file(&made)).unwrap();
            }
        }
        folder.save("-b", &b);
        let mut solve =
            folder.executable(&["solve", "--launcher", &mpi.ranks(2), "--output=-x.npy", "--", "a.npy", "-b"]);
        folder.succeeds(&mut solve);
        assert_eq!(folder.load("-x.npy").shape, [7, 1]);
        assert!(!folder.file("marker").exists());
    }
}

/// Before anything is started.
#[test]
fn names_with_control_characters_and_empty_ones_are_refused() {
    let folder = folder();
    let launcher = "sh -c 'touch started'";
    for (name, shown) in [("a\n.npy", "\"a\\n.npy\""), ("a\u{1b}.npy", "\"a\\u{1b}.npy\""), ("", "\"\"")] {
        let message = format!("expected the name of a file without control characters, got {shown}");
        let factor = |a: &str, output: &str| folder.executable(&["factor", "--launcher", launcher, "-o", output, a]);
        folder.fails(&mut factor(name, "f"), 65, &[&message]);
        let mut solve = folder.executable(&["solve", "--launcher", launcher, "-o", "x.npy", "a.npy", name]);
        folder.fails(&mut solve, 65, &[&message]);
        if !name.is_empty() {
            folder.fails(&mut factor("a.npy", name), 65, &[&message]);
        }
    }
}

#[test]
fn a_grid_that_has_not_as_many_ranks_as_there_are_is_refused() {
    let folder = folder();
    for mpi in Mpi::present("grids that do not fit") {
        for grid in ["1x1", "2x2", "1x3", "65536x65537", "4294967295x4294967295"] {
            let message = format!("expected a grid of the 2 ranks that there are, got {grid}");
            let args = format!("a.npy -o f --grid {grid}");
            folder.fails(&mut folder.command("factor", &mpi.ranks(2), &args), 69, &[&message]);
        }
    }
}

/// Blocks that are larger than the matrix are whole matrices: so is the largest one that can be asked for.
#[test]
fn a_block_may_be_as_large_as_its_number() {
    let folder = folder();
    let naive = naive_lu(&folder.load("a.npy").columns::<f64>(), 7, 7, true);
    for mpi in Mpi::present("large blocks") {
        for block in ["8", "100000", "2147483647", "4294967295"] {
            folder.succeeds(&mut folder.command("factor", &mpi.ranks(2), &format!("a.npy -o f --block {block}")));
            assert_eq!(folder.load("f-ipiv.npy").integers(), naive.ipiv, "blocks of {block}");
        }
    }
}

/// Before anything is started: by clap, or by the subcommand.
#[test]
fn options_that_cannot_be_followed_are_errors_of_usage() {
    let folder = folder();
    let launcher = "sh -c 'touch started'";
    let grid = "expected rows x columns of ranks, as in 2x4";
    for wrong in ["0x1", "1x0", "2", "x", "2x", "ax1", "-1x2", "1x2x3", "4294967296x1", "2X1"] {
        let args = format!("a.npy -o f --grid={wrong}");
        folder.fails(&mut folder.command("factor", launcher, &args), 64, &[&format!("'{wrong}'"), "--grid", grid]);
    }
    let cases = [
        ("factor", "a.npy -o f --block 0", "--block"),
        ("factor", "a.npy -o f --block 4294967296", "--block"),
        ("factor", "a.npy -o f --silence 0", "--silence"),
        ("factor", "a.npy -o f --threads 0", "--threads"),
        ("factor", "a.npy", "--output"),
        ("factor", "- -o f", "expected files that all ranks can read, got - for stdin"),
        ("solve", "a.npy - -o x.npy", "expected files that all ranks can read, got - for stdin"),
        ("solve", "- b.npy -o x.npy", "expected files that all ranks can read, got - for stdin"),
        ("solve", "a.npy b.npy", "expected -o FILE.npy, since X is not printed with --launcher"),
        ("solve", "a.npy b.npy -o x.csv", "expected -o FILE.npy, since X is not printed with --launcher"),
        ("solve", "a.npy b.npy -o x.npy --f32", "--f32"),
        ("solve", "a.npy b.npy -o x.npy --mixed", "--mixed"),
        ("solve", "a.npy b.npy -o x.npy --digits 3", "--digits"),
    ];
    for (subcommand, args, message) in cases {
        folder.fails(&mut folder.command(subcommand, launcher, args), 64, &[message]);
    }
    for launcher in ["", "  ", "mpirun 'x", "\"", "# mpirun"] {
        let message = "--launcher: expected a command that starts the ranks";
        folder.fails(&mut folder.command("factor", launcher, "a.npy -o f"), 64, &[message]);
    }
    // Without a launcher there is nobody who could be told these, and nobody who could factor.
    for args in ["--grid 1x1", "--block 3", "--silence 5"] {
        let args: Vec<&str> = ["solve", "a.npy", "b.npy", "-o", "x.npy"].into_iter().chain(args.split(' ')).collect();
        folder.fails(&mut folder.executable(&args), 64, &["--launcher"]);
    }
    folder.fails(&mut folder.executable(&["factor", "a.npy", "-o", "f"]), 64, &["expected --launcher"]);
}
