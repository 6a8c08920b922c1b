//! A job from its files to its results.

use std::path::Path;
use std::time::{Duration, Instant};

use recfact::files::{npy, sizes};
use recfact::{Transpose, flops, solve_flops};
use recfact_distributed::{Answer, Job, Line, Phase};

use crate::element::Scalar;
use crate::factor::{factor, info};
use crate::failure::Failure;
use crate::file::{Input, Output};
use crate::matrix::{Matrix, count_here};
use crate::process_grid::Grid;
use crate::system::{Solved, System};
use crate::team::{Int, Team};
use crate::{bands, condition, heartbeat, memory};

/// Rows and columns of a block. On two cores of a Zen 3 64 was the fastest for n = 2000 and 4000 of 32, 64 and 128, on 1 and 2 ranks
/// (November 2026).
const BLOCK: usize = 64;

/// Between two lines about progress.
const INTERVAL: Duration = Duration::from_millis(200);

/// Does a job. Its results are in their files if it succeeds.
///
/// # Errors
/// What all ranks have agreed on.
pub fn run(job: &Job, team: &Team) -> Result<Answer, Failure> {
    let start = Instant::now();
    let open = || Ok((Input::open(&job.a)?, job.b.as_deref().map(Input::open).transpose()?));
    let (a, b) = team.agree(open())?;
    let files = Files { job, team, a, b, start };
    team.agree(files.seen_alike())?;
    let is_single = files.a.dtype == f32::DTYPE;
    if is_single { files.run::<f32>() } else { files.run::<f64>() }
}

/// A job and its files.
struct Files<'j> {
    job: &'j Job,
    team: &'j Team,
    a: Input,
    b: Option<Input>,
    start: Instant,
}

impl Files<'_> {
    /// Checks that this rank has found the same files as the first one. Every rank asks once, whatever it has found.
    fn seen_alike(&self) -> Result<(), Failure> {
        let files = || [Some(&self.a), self.b.as_ref()].into_iter().flatten();
        let halves = |number: u64| [(number >> 32) as Int, number as Int];
        let own: Vec<Vec<Int>> =
            files().map(|file| file.fingerprint().into_iter().flat_map(halves).collect()).collect();
        let mut first = own.concat();
        self.team.broadcast(0, &mut first);
        let mut other = files().zip(&own).zip(first.chunks(own[0].len())).filter(|((_, own), first)| own != first);
        other.next().map_or(Ok(()), |((file, _), _)| {
            let text =
                "expected the file that rank 0 has found, got another one; is it on storage that all hosts share?";
            Err(Failure::file(&file.path, text))
        })
    }

    /// Checks that the shapes fit each other and the grid, and that there is memory.
    fn check<T: Scalar>(&self, grid: &Grid<'_, T>) -> Result<(), Failure> {
        let Input { m, n, .. } = self.a;
        self.a.check::<T>()?;
        if self.a.shape.len() != 2 {
            return Err(Failure::file(&self.a.path, format_args!("expected a matrix, got a vector of {m}")));
        }
        if let Some(b) = &self.b {
            b.check::<T>()?;
            if m != n {
                return Err(Failure::file(&self.a.path, format_args!("expected a square matrix, got {m} x {n}")));
            }
            if b.m != n {
                let (name, shape) = (self.a.path.display(), sizes(&b.shape));
                let text = format_args!("expected {n} rows, since {name} is {m} x {n}, got {shape}");
                return Err(Failure::file(&b.path, text));
            }
        }
        self.check_sizes(grid)
    }

    /// Checks that sizes and local sizes have 32-bit integers, and that there is memory.
    fn check_sizes<T: Scalar>(&self, grid: &Grid<'_, T>) -> Result<(), Failure> {
        let (m, n, nrhs) = (self.a.m, self.a.n, self.b.as_ref().map_or(0, |b| b.n));
        let is_countable = |size: usize| size < Int::MAX as usize;
        let longest = [m, n, nrhs].into_iter().max().unwrap_or(0);
        if !is_countable(longest) {
            return Err(Failure::engine(format_args!("expected fewer than 2^31 rows and columns, got {longest}")));
        }
        let local = |m: usize, n: usize, columns: usize| {
            let rows = count_here(m, grid.block, 0, grid.shape.rows);
            rows.saturating_mul(count_here(n, columns, 0, grid.shape.columns))
        };
        let (of_a, of_x) = (local(m, n, grid.block), local(n, nrhs, System::block(grid, nrhs)));
        if let Some(most) = [of_a, of_x].into_iter().find(|&len| !is_countable(len)) {
            let ranks = self.team.ranks();
            return Err(Failure::engine(format_args!(
                "expected fewer than 2^31 elements on each rank, got {most} on a grid of {ranks}; use more ranks"
            )));
        }
        // X, R, two sums of magnitudes and the next X; bands as they are read, as they are used, and as messages.
        let matrices = of_a.saturating_add(of_x.saturating_mul(5)).saturating_add(condition::memory(n));
        let line = [m, n].into_iter().max().unwrap_or(0).saturating_mul(4);
        let bytes = matrices.saturating_add(line).saturating_mul(size_of::<T>());
        memory::check(self.team, bytes as u64)
    }

    fn run<T: Scalar>(&self) -> Result<Answer, Failure> {
        let (team, a, b) = (self.team, &self.a, self.b.as_ref());
        let block = self.job.block.map_or(BLOCK, |block| block.get() as usize);
        let grid = &team.agree(Grid::<T>::new(team, self.job.grid, block))?;
        team.agree(self.check(grid))?;
        let mut progress = Progress::new(team, flops(a.m, a.n) + b.map_or(0.0, |b| solve_flops(b.m, b.n)));

        progress.tell(Phase::Reading, 0.0);
        let mut lu = team.agree(Matrix::zeros(grid.layout(a.m, a.n, block)))?;
        bands::read(grid, a, &mut lu)?;
        let anorm = if b.is_some() { grid.norm1(&lu) } else { T::ZERO };

        progress.tell(Phase::Factoring, 0.0);
        let mut ipiv: Vec<Int> = vec![0; lu.layout.ipiv_len()];
        team.barrier();
        let factoring = Instant::now();
        factor(grid, &mut lu, &mut ipiv, |done| progress.maybe_tell(Phase::Factoring, done));
        team.barrier();
        let factor_seconds = factoring.elapsed().as_secs_f64();

        let mut answer = Answer {
            info: info(grid, &lu),
            m: a.m as u64,
            n: a.n as u64,
            nrhs: b.map_or(0, |b| b.n as u64),
            bits: 8 * size_of::<T>() as u32,
            grid: grid.shape,
            block: block as u32,
            steps: 0,
            seconds: 0.0,
            factor_seconds,
            gflops: flops(a.m, a.n) / factor_seconds.max(1e-9) / 1e9,
            rcond: f64::NAN,
            backward_error: f64::NAN,
        };
        match b {
            Some(b) if answer.info == 0 => {
                let trans = if self.job.transpose { Transpose::Yes } else { Transpose::No };
                let system = System { grid, a, b, trans, lu: &lu, ipiv: &ipiv };
                self.solve(&system, anorm, &mut progress, &mut answer)?;
            }
            // The factors of a singular matrix have no inverse.
            Some(_) => {}
            None => {
                progress.tell(Phase::Writing, progress.total);
                let results = self.job.results();
                self.write(grid, &lu, &results[0], &a.shape)?;
                self.write_ipiv(grid, &lu, &ipiv, &results[1])?;
            }
        }
        answer.seconds = self.start.elapsed().as_secs_f64();
        Ok(answer)
    }

    /// Solves the system, writes X, and says how good it is.
    fn solve<T: Scalar>(
        &self,
        system: &System<'_, T>,
        anorm: T,
        progress: &mut Progress,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let System { grid, lu, ipiv, .. } = *system;
        progress.tell(Phase::Solving, flops(lu.layout.m, lu.layout.n));
        answer.rcond = condition::rcond(grid, lu, ipiv, anorm)?;
        let Solved { x, backward_error, steps } = system.solve(self.job.refine)?;
        (answer.backward_error, answer.steps) = (backward_error, steps);
        progress.tell(Phase::Writing, progress.total);
        self.write(grid, &x, &self.job.results()[0], &system.b.shape)
    }

    /// Writes a matrix.
    fn write<T: Scalar>(&self, grid: &Grid<'_, T>, a: &Matrix<T>, path: &Path, shape: &[usize]) -> Result<(), Failure> {
        self.write_by::<T>(path, shape, |output| bands::write(grid, a, output))
    }

    /// Writes the row swaps, as LAPACK's: those of each row of ranks are in its first rank.
    fn write_ipiv<T: Scalar>(
        &self,
        grid: &Grid<'_, T>,
        lu: &Matrix<T>,
        ipiv: &[Int],
        path: &Path,
    ) -> Result<(), Failure> {
        let (layout, k) = (&lu.layout, lu.layout.m.min(lu.layout.n));
        let is_first = self.team.rank().is_multiple_of(grid.shape.columns);
        self.write_by::<i64>(path, &[k], |output| {
            let write = || {
                for local in (0..if is_first { layout.rows_here } else { 0 }).step_by(grid.block) {
                    // The rows of a block follow each other in the matrix, too.
                    let row = layout.row(local);
                    let count = grid.block.min(layout.rows_here - local).min(k.saturating_sub(row));
                    let swaps: Vec<i64> = ipiv[local..local + count].iter().map(|&row| row.into()).collect();
                    if count > 0 {
                        output.write(row, &swaps)?;
                    }
                }
                Ok(())
            };
            self.team.agree(write())
        })
    }

    /// Writes a file, which gets its name when it is complete.
    fn write_by<E: npy::Saved>(
        &self,
        path: &Path,
        shape: &[usize],
        write: impl FnOnce(&Output) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (team, unfinished) = (self.team, self.job.unfinished(path));
        let is_first = team.rank() == 0;
        team.agree(if is_first { Output::create::<E>(path, &unfinished, shape) } else { Ok(()) })?;
        let output = team.agree(Output::open::<E>(path, &unfinished, shape))?;
        write(&output)?;
        team.agree(output.sync())?;
        team.agree(if is_first { output.rename() } else { Ok(()) })
    }
}

/// Lines of rank 0 about how far the job is.
struct Progress {
    is_told: bool,
    total: f64,
    next: Instant,
}

impl Progress {
    fn new(team: &Team, total: f64) -> Self {
        Progress { is_told: team.rank() == 0, total, next: Instant::now() }
    }

    /// So many of the operations are done.
    fn tell(&mut self, phase: Phase, done: f64) {
        if self.is_told {
            let done = if self.total > 0.0 { (done / self.total).clamp(0.0, 1.0) } else { 0.0 };
            heartbeat::say(&Line::Progress { phase, done });
        }
        self.next = Instant::now() + INTERVAL;
    }

    /// The same, unless the last line is not old.
    fn maybe_tell(&mut self, phase: Phase, done: f64) {
        if self.next <= Instant::now() {
            self.tell(phase, done);
        }
    }
}
