//! What is checked before a rank takes memory: that the files fit each other, the ranks and the library.

use recfact::files::sizes;

use crate::condition;
use crate::element::Scalar;
use crate::failure::Failure;
use crate::file::Input;
use crate::matrix::count_here;
use crate::process_grid::Grid;
use crate::system::System;
use crate::team::{Int, Team};

/// More rows or columns than `p?gemr2d` can count: it ends the process at this number.
const MAX_SIZE: usize = 100_000_000;

/// More rows than the single-precision pivot search of ScaLAPACK can count: it sends the number of a row as an f32.
const MAX_SINGLE_ROWS: usize = 1 << 24;

/// Checks that this rank has found the same files as the first one. Every rank asks once, whatever it has found.
///
/// # Errors
/// If it has found others.
pub fn seen_alike(team: &Team, files: &[&Input]) -> Result<(), Failure> {
    let halves = |number: u64| [(number >> 32) as Int, number as Int];
    let own: Vec<Vec<Int>> =
        files.iter().map(|file| file.fingerprint().into_iter().flat_map(halves).collect()).collect();
    let mut first = own.concat();
    team.broadcast(0, &mut first);
    let mut other = files.iter().zip(&own).zip(first.chunks(own[0].len())).filter(|((_, own), first)| own != first);
    other.next().map_or(Ok(()), |((file, _), _)| {
        let text = "expected the file that rank 0 has found, got another one; is it on storage that all hosts share?";
        Err(Failure::file(&file.path, text))
    })
}

/// Checks that A is a matrix, and B one that fits it, of the same type.
///
/// # Errors
/// If they are not.
pub fn shapes<T: Scalar>(a: &Input, b: Option<&Input>) -> Result<(), Failure> {
    let Input { m, n, .. } = *a;
    a.check::<T>()?;
    if a.shape.len() != 2 {
        return Err(Failure::file(&a.path, format_args!("expected a matrix, got a vector of {m}")));
    }
    let Some(b) = b else { return Ok(()) };
    b.check::<T>()?;
    if m != n {
        return Err(Failure::file(&a.path, format_args!("expected a square matrix, got {m} x {n}")));
    }
    if b.m != n {
        let (name, shape) = (a.path.display(), sizes(&b.shape));
        let text = format_args!("expected {n} rows, since {name} is {m} x {n}, got {shape}");
        return Err(Failure::file(&b.path, text));
    }
    Ok(())
}

/// Checks that ScaLAPACK can count the elements, and returns the bytes that a rank needs.
///
/// # Errors
/// If it cannot.
pub fn bytes<T: Scalar>(grid: &Grid<'_, T>, a: &Input, nrhs: usize) -> Result<u64, Failure> {
    let (m, n, block) = (a.m, a.n, grid.block);
    let longest = m.max(n).max(nrhs);
    if longest >= MAX_SIZE {
        return Err(Failure::engine(format_args!("expected fewer than 10^8 rows and columns, got {longest}")));
    }
    if size_of::<T>() == size_of::<f32>() && m > MAX_SINGLE_ROWS {
        let text = format_args!("expected at most 2^24 rows of f4, got {m}; ScaLAPACK counts no more there, use f8");
        return Err(Failure::file(&a.path, text));
    }
    // The first rank has the most of everything.
    let rows = count_here(m, block, 0, grid.shape.rows);
    let columns = |n: usize, block: usize| count_here(n, block, 0, grid.shape.columns);
    let of_a = rows.saturating_mul(columns(n, block));
    let of_x = rows.saturating_mul(columns(nrhs, System::block(grid, nrhs)));
    if let Some(most) = [of_a, of_x].into_iter().find(|&len| len >= Int::MAX as usize) {
        let ranks = grid.team.ranks();
        return Err(Failure::engine(format_args!(
            "expected fewer than 2^31 elements on each rank, got {most} on {ranks} ranks; use more ranks"
        )));
    }
    // X, R, two sums of magnitudes, |X|, and the next X.
    let of_systems = of_x.saturating_mul(if nrhs > 0 { 6 } else { 0 });
    // A round of bands as it is read, as it is transposed, as a part of the grid, and twice as messages; those for A go to few columns
    // of ranks if the bands are narrow.
    let round = crate::bands::width::<T>([n, m], grid.team.ranks() as usize, block) * grid.team.ranks() as usize;
    let of_bands = m.max(n).saturating_mul(8).max(rows.saturating_mul(columns(round, block)).saturating_mul(2));
    let vectors = if nrhs > 0 { condition::memory(n) } else { 0 } + rows + block;
    let elements = of_a.saturating_add(of_systems).saturating_add(of_bands).saturating_add(vectors);
    Ok(elements.saturating_mul(size_of::<T>()) as u64)
}
