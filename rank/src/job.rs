//! A job from its files to its results.

use std::time::Instant;

use recfact::{Transpose, flops, solve_flops};
use recfact_distributed::{Answer, Job, Phase};

use crate::element::{Scalar, Stored};
use crate::factor::{factor, info};
use crate::factors::Factors;
use crate::failure::Failure;
use crate::file::Input;
use crate::matrix::{Matrix, zeros};
use crate::memory::Memory;
use crate::process_grid::Grid;
use crate::progress::Progress;
use crate::results::Results;
use crate::system::System;
use crate::team::{Int, Team};
use crate::{bands, checks, condition};

/// Rows and columns of a block. On two cores of a Zen 3 64 was the fastest for n = 2000 and 4000 of 32, 64 and 128, on 1 and 2 ranks
/// (November 2026).
const BLOCK: usize = 64;

/// Does a job. Its results are in their files if it succeeds.
///
/// # Errors
/// What all ranks have agreed on.
pub fn run(job: &Job, team: &Team) -> Result<Answer, Failure> {
    let start = Instant::now();
    let open = || {
        let [b, factors] = [&job.b, &job.factors].map(Option::as_deref);
        Ok((Input::open(&job.a)?, b.map(Input::open).transpose()?, factors.map(Factors::open).transpose()?))
    };
    let (a, b, factors) = team.agree(open())?;
    let (b, factors) = (b.as_ref(), factors.as_ref());
    let files: Vec<&Input> =
        [Some(&a), b].into_iter().flatten().chain(factors.into_iter().flat_map(Factors::files)).collect();
    team.agree(checks::seen_alike(team, &files))?;
    let files = Files { job, team, a: &a, b, factors };
    let answer = if a.dtype == f32::DTYPE { files.run::<f32>() } else { files.run::<f64>() };
    answer.map(|answer| Answer { seconds: start.elapsed().as_secs_f64(), ..answer })
}

/// A job and its files.
struct Files<'j> {
    job: &'j Job,
    team: &'j Team,
    a: &'j Input,
    b: Option<&'j Input>,
    /// Those of A, if they are there.
    factors: Option<&'j Factors>,
}

impl Files<'_> {
    fn run<T: Scalar>(&self) -> Result<Answer, Failure> {
        let Files { job, team, a, b, factors } = *self;
        // A larger block spreads the matrix in the same way.
        let block = job.block.map_or(BLOCK, |block| block.get() as usize).min(a.m.max(a.n).max(1));
        let grid = &Grid::<T>::new(team, job.grid, block)?;
        team.agree(checks::shapes::<T>(a, b))?;
        team.agree(factors.map_or(Ok(()), |factors| factors.check::<T>(a)))?;
        let bytes = team.agree(checks::bytes(grid, a, b.map_or(0, |b| b.n)))?;
        let memory = Memory::of(team);
        team.agree(memory.check(bytes))?;
        let results = Results::create::<T>(team, job, b.map_or(&a.shape, |b| &b.shape))?;
        let factor_flops = if factors.is_some() { 0.0 } else { flops(a.m, a.n) };
        let progress = &Progress::new(team, factor_flops + b.map_or(0.0, |b| solve_flops(b.m, b.n)));

        progress.begin(Phase::Reading, 0.0);
        // B first: it is small, and may have a mistake.
        let mut x = b.map(|b| System::memory_for_x(grid, b)).transpose()?;
        if let (Some(x), Some(b)) = (&mut x, b) {
            bands::read(grid, b, x, progress)?;
        }
        let (lu, ipiv, factor_seconds) = self.factored(grid, progress)?;
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
            gflops: factor_flops / factor_seconds.max(1e-9) / 1e9,
            rcond: f64::NAN,
            backward_error: f64::NAN,
        };
        match (b, x) {
            (Some(b), Some(x)) if answer.info == 0 => {
                let trans = if job.transpose { Transpose::Yes } else { Transpose::No };
                let system = System { grid, a, b, trans, lu: &lu, ipiv: &ipiv, progress };
                progress.begin(Phase::Solving, factor_flops);
                let solved = system.solve(x, job.refine)?;
                team.agree(factors.map_or(Ok(()), |factors| factors.check_solution::<T>(a, solved.normwise_error)))?;
                (answer.backward_error, answer.steps) = (solved.backward_error, solved.steps);
                answer.rcond = condition::rcond(grid, &lu, &ipiv, solved.anorm)?;
                progress.begin(Phase::Writing, factor_flops + solve_flops(b.m, b.n));
                results.write(grid, &solved.x, progress)?;
                results.complete()?;
            }
            // The factors of a singular matrix have no inverse.
            (Some(_), _) => {}
            (None, _) => {
                progress.begin(Phase::Writing, factor_flops);
                results.write(grid, &lu, progress)?;
                results.write_ipiv(grid, &lu, &ipiv)?;
                results.complete()?;
            }
        }
        Ok(answer)
    }

    /// P A = L U: the factors, the row swaps, and how many seconds it took to compute them.
    fn factored<T: Scalar>(
        &self,
        grid: &Grid<'_, T>,
        progress: &Progress,
    ) -> Result<(Matrix<T>, Vec<Int>, f64), Failure> {
        let Files { team, a, .. } = *self;
        let mut lu = team.agree(Matrix::zeros(grid.layout([a.m, a.n], [grid.block; 2])))?;
        let mut ipiv = team.agree(zeros(lu.layout.ipiv_len()))?;
        if let Some(factors) = self.factors {
            bands::read(grid, &factors.lu, &mut lu, progress)?;
            team.agree(factors.read_ipiv(&lu.layout, &mut ipiv))?;
            return Ok((lu, ipiv, 0.0));
        }
        bands::read(grid, a, &mut lu, progress)?;
        progress.begin(Phase::Factoring, 0.0);
        team.barrier();
        let start = Instant::now();
        factor(grid, &mut lu, &mut ipiv, |done| progress.reach(done));
        team.barrier();
        Ok((lu, ipiv, start.elapsed().as_secs_f64()))
    }
}
