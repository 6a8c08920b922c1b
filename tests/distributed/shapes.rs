//! P A = L U of matrices of every shape, on every grid, from files of both orders and types.

use testing::npy::Npy;
use testing::{Float, Kind, matrix, naive_lu, residual, residual_bound};

use crate::folder::Folder;
use crate::machine::Mpi;

/// Grids of ranks: how many there are, and how they are arranged.
const GRIDS: [(Mpi, u32, &str); 7] = [
    (Mpi::Open, 1, "1x1"),
    (Mpi::Open, 2, "1x2"),
    (Mpi::Open, 2, "2x1"),
    (Mpi::Open, 4, "2x2"),
    (Mpi::Open, 3, "3x1"),
    (Mpi::Mpich, 2, "1x2"),
    (Mpi::Mpich, 2, "2x1"),
];

/// Rows, columns, and rows and columns of a block: nothing at all, one row, one column, less than a block, whole
/// blocks, many blocks and a part of one.
const SHAPES: [(usize, usize, usize); 14] = [
    (0, 5, 3),
    (5, 0, 3),
    (0, 0, 64),
    (1, 1, 3),
    (1, 9, 3),
    (9, 1, 3),
    (2, 2, 3),
    (12, 12, 3),
    (20, 20, 3),
    (23, 8, 3),
    (8, 23, 3),
    (17, 13, 1),
    (40, 40, 64),
    (130, 100, 64),
];

/// A matrix in a file, as it is to be factored.
struct Case {
    grid: &'static str,
    block: usize,
    launcher: String,
    m: usize,
    n: usize,
    is_fortran: bool,
}

impl Case {
    /// Factors it. Returns the factors, the row swaps, and what was said.
    fn factor<T: Float>(&self, folder: &Folder, a: &[T]) -> (Vec<T>, Vec<i64>, String) {
        let &Case { m, n, is_fortran, .. } = self;
        folder.save("a.npy", &Npy::of(is_fortran, &[m, n], a));
        let args = format!("a.npy -o f --grid {} --block {}", self.grid, self.block);
        let said = folder.succeeds(&mut folder.command("factor", &self.launcher, &args));
        let (lu, ipiv) = (folder.load("f-lu.npy"), folder.load("f-ipiv.npy"));
        assert!(lu.is_fortran && lu.shape == [m, n], "{:?}", lu.shape);
        (lu.columns(), ipiv.integers(), said)
    }

    /// Factors a matrix and compares with the naive loops: the same row swaps and `info`, since nothing ties, and a
    /// small residual.
    fn check<T: Float>(&self, folder: &Folder, a: &[T]) {
        let &Case { m, n, block, grid, is_fortran, .. } = self;
        let (lu, ipiv, said) = self.factor(folder, a);
        let naive = naive_lu(a, m, n, true);
        let case = format!("{m} x {n} of {} bytes, Fortran order: {is_fortran}, grid {grid}: {said}", size_of::<T>());
        assert_eq!(ipiv, naive.ipiv, "{case}");
        let residual = residual(a, &lu, &ipiv, m, n);
        assert!(residual <= residual_bound(a, m, n), "residual {residual:e}, {case}");
        let info = format!("info {0}: U({0},{0}) is exactly zero", naive.info);
        assert_eq!(said.contains(&info), naive.info != 0, "{case}");
        assert_eq!(said.contains("info"), naive.info != 0, "{case}");
        let (rows, columns) = grid.split_once('x').unwrap();
        // A matrix that is smaller than a block is one block.
        let block = block.min(m.max(n).max(1));
        assert!(said.contains(&format!(" as {rows} x {columns}, blocks of {block};")), "{case}");
    }

    /// Checks a matrix of this kind, in one precision and one order out of four, by number.
    fn check_kind(&mut self, folder: &Folder, kind: Kind, number: usize) {
        self.is_fortran = number & 1 != 0;
        let (m, n) = (self.m, self.n);
        if number & 2 == 0 {
            self.check(folder, &matrix::<f64>(kind, m, n, number as u64));
        } else {
            self.check(folder, &matrix::<f32>(kind, m, n, number as u64));
        }
    }
}

/// Checks matrices of all shapes. From grid to grid and from shape to shape the precision and the order change, so that
/// each shape meets all of them.
fn check_all_shapes(mpi: Mpi) {
    if !mpi.is_there("factorizations of every shape") {
        return;
    }
    let folder = Folder::new();
    let grids = GRIDS.iter().enumerate().filter(|(_, grid)| grid.0 == mpi);
    for (number, &(mpi, ranks, grid)) in grids {
        for (shape, &(m, n, block)) in SHAPES.iter().enumerate() {
            let mut case = Case { grid, block, launcher: mpi.ranks(ranks), m, n, is_fortran: false };
            case.check_kind(&folder, Kind::Uniform, number + shape);
            if mpi == Mpi::Mpich {
                case.check_kind(&folder, Kind::Uniform, number + shape + 2);
            }
        }
    }
}

#[test]
fn openmpi_factors_every_shape_with_the_row_swaps_of_the_naive_loops() {
    check_all_shapes(Mpi::Open);
}

#[test]
fn mpich_factors_every_shape_with_the_row_swaps_of_the_naive_loops() {
    check_all_shapes(Mpi::Mpich);
}

/// `info` is LAPACK's: the first k with U(k,k) = 0, or 0. The factors are there all the same.
#[test]
fn the_first_pivot_that_is_exactly_zero_is_info_and_the_factors_are_saved() {
    let mpis = Mpi::present("info of singular matrices");
    // Sizes, and the columns that are zero, counted from 1.
    let cases: [(usize, usize, &[usize]); 10] = [
        (1, 1, &[1]),
        (1, 6, &[1]),
        (6, 1, &[1]),
        (10, 10, &[10]),
        (10, 10, &[9, 4]),
        (13, 5, &[5]),
        (5, 13, &[2]),
        (5, 13, &[7]),
        (20, 20, &[20, 19, 13]),
        (7, 7, &[1, 2, 3, 4, 5, 6, 7]),
    ];
    let folder = Folder::new();
    for (number, (m, n, columns)) in cases.into_iter().enumerate() {
        let Some(mpi) = mpis.get(number % mpis.len().max(1)) else { return };
        let mut a: Vec<f64> = matrix(Kind::Uniform, m, n, number as u64);
        columns.iter().for_each(|&column| a[(column - 1) * m..column * m].fill(0.0));
        let grid = ["1x2", "2x1"][number / 2 % 2];
        let case = Case { grid, block: 3, launcher: mpi.ranks(2), m, n, is_fortran: number % 3 == 0 };
        let expected = columns.iter().copied().filter(|&column| column <= m).min().unwrap_or(0);
        assert_eq!(naive_lu(&a, m, n, true).info, expected as i64);
        case.check(&folder, &a);
    }
}

/// A file is read and written in rounds of bands of 4 MiB for each rank, and never less than a line.
#[test]
fn matrices_of_many_megabytes_are_read_and_written_in_rounds() {
    let mpis = Mpi::present("matrices of many megabytes");
    let folder = Folder::new();
    // A line has more than 4 MiB: each of them is a round for one rank.
    for (number, (m, n, is_fortran)) in
        [(3, 600_000, false), (600_000, 3, true), (3, 600_000, true), (600_000, 3, false)].into_iter().enumerate()
    {
        let Some(mpi) = mpis.get(number % mpis.len().max(1)) else { return };
        let (launcher, grid) = (mpi.ranks(2), ["1x2", "2x1"][number / 2]);
        let case = Case { grid, block: 64, launcher, m, n, is_fortran };
        case.check(&folder, &matrix::<f64>(Kind::Uniform, m, n, 7));
    }
}

/// The results replace files of the same name, and a grid, a block and a number of threads need not be chosen.
#[test]
fn results_replace_older_ones_and_nothing_needs_to_be_chosen() {
    let folder = Folder::new();
    let a: Vec<f64> = matrix(Kind::Uniform, 70, 70, 3);
    let naive = naive_lu(&a, 70, 70, true);
    folder.save("a.npy", &Npy::of(false, &[70, 70], &a));
    for (ranks, grid) in [(1, "1 rank as 1 x 1"), (2, "2 ranks as 1 x 2"), (4, "4 ranks as 2 x 2")] {
        if !Mpi::Open.is_there("the grid that is chosen") {
            return;
        }
        folder.write_older_results();
        let said = folder.succeeds(&mut folder.command("factor", &Mpi::Open.ranks(ranks), "a.npy -o f --threads 2"));
        assert!(said.starts_with(&format!("recfact_server factor: a.npy: {grid}, blocks of 64; ")), "{said}");
        assert!(said.ends_with(" GFLOP/s"), "{said}");
        assert_eq!(folder.load("f-ipiv.npy").integers(), naive.ipiv);
        let residual = residual(&a, &folder.load("f-lu.npy").columns(), &naive.ipiv, 70, 70);
        assert!(residual <= residual_bound(&a, 70, 70));
    }
}
