//! A X = B: the solution, its file, and what is said of its error.

use testing::npy::Npy;
use testing::{Float, Kind, matrix};

use crate::accuracy::{Matrix, number_after};
use crate::folder::Folder;
use crate::machine::Mpi;

/// A system, and how it is solved.
#[derive(Debug, Clone, Copy)]
struct Case {
    mpi: Mpi,
    ranks: u32,
    grid: &'static str,
    n: usize,
    /// Columns of B; `None`: it is a vector.
    nrhs: Option<usize>,
    block: usize,
    /// Whether the files of A and of B are in Fortran order.
    orders: [bool; 2],
    options: &'static str,
}

impl Case {
    fn check<T: Float>(&self, folder: &Folder) {
        let &Case { mpi, ranks, grid, n, nrhs, block, orders, options } = self;
        let columns = nrhs.unwrap_or(1);
        let (a, b) = (matrix::<T>(Kind::Uniform, n, n, n as u64), matrix::<T>(Kind::Uniform, n, columns, 99));
        let shape = [vec![n], nrhs.into_iter().collect()].concat();
        folder.save("a.npy", &Npy::of(orders[0], &[n, n], &a));
        folder.save("b.npy", &Npy::of(orders[1], &shape, &b));
        let args = format!("a.npy b.npy -o x.npy --grid {grid} --block {block} {options}");
        let said = folder.succeeds(&mut folder.command("solve", &mpi.ranks(ranks), &args));

        let x = folder.load("x.npy");
        assert!(x.is_fortran && x.shape == shape, "{self:?}: {:?}", x.shape);
        let a = Matrix { n, elements: &a, is_transposed: options.contains("--transpose") };
        let error = a.backward_error(&x.columns(), &b);
        assert!(error <= n as f64 * T::EPSILON, "backward error {error:e}, {self:?}");
        if options.contains("--refine") {
            // A step of refinement in the same precision leaves a few roundings (R. D. Skeel, Math. Comp. 35, 1980).
            assert!(error <= 4.0 * T::EPSILON, "backward error {error:e}, {self:?}");
        }
        assert_eq!(said.contains("1 step of refinement"), options.contains("--refine") && columns > 0, "{said}");
        if columns == 0 {
            assert!(!said.contains("backward error"), "{said}");
            return;
        }
        // Its own residual is computed in the precision of the elements, with roundings as large as what it measures.
        let said_error = number_after(&said, "backward error ");
        assert!(
            (error / 30.0 - T::EPSILON..=error * 30.0 + 4.0 * T::EPSILON).contains(&said_error),
            "{error:e}: {said}"
        );
        let (rcond, expected) = (number_after(&said, "reciprocal condition number "), a.rcond());
        assert!((expected / 3.0..=expected * 3.0).contains(&rcond), "rcond {expected:e}: {said}");
    }
}

/// All kinds of right-hand sides, on all grids; the precision, the orders and the options change from one to the next.
#[test]
fn solutions_of_vectors_and_matrices_have_the_backward_error_that_is_said() {
    let grids = [(2, "1x2"), (2, "2x1"), (1, "1x1"), (4, "2x2"), (3, "3x1")];
    let mpis = Mpi::present("solutions");
    if mpis.is_empty() {
        return;
    }
    let folder = Folder::new();
    let right_hand_sides = [None, Some(1), Some(5), Some(0), Some(11)];
    let options = ["", "--transpose", "--refine", "--transpose --refine"];
    let mut number = 0;
    for (n, block) in [(1, 3), (2, 3), (20, 3), (50, 64), (70, 7)] {
        for nrhs in right_hand_sides {
            let (ranks, grid) = grids[number % grids.len()];
            let mpi = mpis[if ranks > 2 { 0 } else { number % mpis.len() }];
            if mpi == Mpi::Mpich && ranks > 2 {
                continue;
            }
            let orders = [number % 3 == 0, number % 2 == 0];
            let options = options[number / 2 % options.len()];
            let case = Case { mpi, ranks, grid, n, nrhs, block, orders, options };
            if number % 3 == 1 {
                case.check::<f32>(&folder);
            } else {
                case.check::<f64>(&folder);
            }
            number += 1;
        }
    }
}

/// The residual is computed from bands of the file, of which there are several rounds.
#[test]
fn a_system_of_many_megabytes_is_solved_and_its_residual_is_computed_in_rounds() {
    let folder = Folder::new();
    for (number, mpi) in Mpi::present("a system of many megabytes").into_iter().enumerate() {
        for options in ["--refine", "--transpose"] {
            let orders = [number == 0, options == "--refine"];
            let (n, nrhs, grid) = (1100, Some(3), ["1x2", "2x1"][number]);
            Case { mpi, ranks: 2, grid, n, nrhs, block: 64, orders, options }.check::<f64>(&folder);
        }
    }
}

/// There is nothing in these, and nothing can be singular.
#[test]
fn empty_systems_have_empty_solutions() {
    let folder = Folder::new();
    for mpi in Mpi::present("empty systems") {
        for shape in [vec![0], vec![0, 0], vec![0, 3]] {
            folder.save("a.npy", &Npy::of::<f64>(false, &[0, 0], &[]));
            folder.save("b.npy", &Npy::of::<f64>(false, &shape, &[]));
            folder.succeeds(&mut folder.command("solve", &mpi.ranks(2), "a.npy b.npy -o x.npy --refine"));
            let x = folder.load("x.npy");
            assert!(x.shape == shape && x.data.is_empty(), "{:?}", x.shape);
        }
    }
}

/// X may replace B, or A: they have been read.
#[test]
fn the_solution_may_have_the_name_of_a_file_that_was_read() {
    for mpi in Mpi::present("a solution in the place of B") {
        let folder = Folder::new();
        let (a, b) = ([4.0, 6.0, 3.0, 3.0], [10.0, 12.0]);
        folder.save("a.npy", &Npy::of(false, &[2, 2], &a));
        folder.save("b.npy", &Npy::of(false, &[2], &b));
        folder.succeeds(&mut folder.command("solve", &mpi.ranks(2), "a.npy b.npy -o b.npy --refine"));
        let x: Vec<f64> = folder.load("b.npy").columns();
        assert!((x[0] - 1.0).abs() < 1e-14 && (x[1] - 2.0).abs() < 1e-14, "{x:?}");
    }
}
