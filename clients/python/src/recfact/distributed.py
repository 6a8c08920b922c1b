"""LU factorization of matrices that no machine can hold: in .npy files, by the ranks of an MPI program.

    x = recfact.distributed.solve("a.npy", "b.npy", launcher="mpirun -n 16")

A launcher starts one process, a rank, for each of the processors that share the work. They read the matrix from its
file, each a part of it, compute with ScaLAPACK, and write the result to a file, which is then mapped into this process:
no matrix is in its memory. The files are on storage that all ranks see. Each machine has ScaLAPACK, which `apt-get
install libscalapack-openmpi2.2` installs with OpenMPI on Debian; the package brings the program of the ranks.

The bits of a result depend on the grid of ranks and on their BLAS, unlike everywhere else in `recfact`. Each rank
computes with one thread, unless OPENBLAS_NUM_THREADS, OMP_NUM_THREADS, MKL_NUM_THREADS or BLIS_NUM_THREADS is set where
it runs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray

from . import _extended
from ._backend import TRANSPOSED
from ._checks import integer, require_square, warn_of_ill_conditioned, warn_of_singular
from ._errors import ServerError
from ._npy import Memmap, Name, absolute, described, mapped, results
from ._ranks import Launch, Ranks, launch

__all__ = ["Factors", "Figures", "Solution", "factor", "factorization", "solution", "solve"]


@dataclass(frozen=True, eq=False)
class Figures:
    """What the ranks did, and how fast.

    Attributes:
        ranks: How many ranks there were.
        grid: The rows and the columns of the grid in which they were arranged.
        block: The rows, and the columns, of the blocks in which the matrix was spread over the grid.
        seconds: The time from the start of the first rank to the last file in its place.
        factor_seconds: The part of it for the factorization alone.
        gflops: The floating-point operations of the factorization, in 10^9 a second.
    """

    ranks: int
    grid: tuple[int, int]
    block: int
    seconds: float
    factor_seconds: float
    gflops: float


@dataclass(frozen=True, eq=False)
class Solution(Figures):
    """A solution x of a x = b, how good it is, and how fast it was computed: see `Figures`, too.

    Attributes:
        x: The solution: a read-only `numpy.memmap`.
        rcond: The reciprocal condition number of a in the 1-norm, estimated.
        backward_error: The largest componentwise backward error of a column of x (LAPACK: BERR).
        steps: The steps of refinement that x has taken: 0 or 1.
    """

    x: Memmap
    rcond: float
    backward_error: float
    steps: int


@dataclass(frozen=True, eq=False)
class Factors(Figures):
    """Factors P A = L U, and how fast they were computed: see `Figures`, too.

    Attributes:
        lu: U on and above the diagonal, L below it, without its ones: a read-only `numpy.memmap` in Fortran order.
        piv: Row i was swapped with row `piv[i]`, counted from 0, as `recfact.lu_factor` says it.
        info: LAPACK's number: 0, or k > 0 if U[k-1, k-1] is the first zero on the diagonal. Then A is singular.
    """

    lu: Memmap
    piv: NDArray[np.int32]
    info: int


def solve(
    a: Name,
    b: Name,
    *,
    launcher: str | Sequence[str],
    output: Name | None = None,
    factors: Name | None = None,
    transposed: bool = False,
    refine: bool = False,
    grid: tuple[int, int] | None = None,
    block: int | None = None,
    silence: int | None = None,
    timeout: float | None = None,
    progress: Callable[[float], object] | None = None,
) -> Memmap:
    """Solves a x = b, or a.T x = b with `transposed`, for matrices in .npy files, by the ranks of a launcher.

    The elements are all of type '<f8' or all of type '<f4'. A NaN or an infinity among them is an error.

    Ctrl-C ends the ranks before KeyboardInterrupt is raised. That takes seconds at most; a second Ctrl-C does not wait
    for it.

    Args:
        a: The file of a square matrix, in C or Fortran order.
        b: The file of a vector, or of a matrix with a right-hand side in each column.
        launcher: The command that starts the ranks: one line, which is split as a shell would split it, or its words.
            The program of a rank and its arguments are added to it.
        output: The file for x, which is replaced when x is complete. Without a name x is in a temporary file in the
            folder of `a`, which is deleted as soon as it is mapped: its storage is free again when the array is.
        factors: What `factor` was given as `output` when it factored `a`. Then `a` is not factored again, and read only
            to find out how good x is.
        transposed: Whether the system is that of a.T.
        refine: Whether x is corrected once by its residual.
        grid: The rows and the columns of the grid of ranks, whose product is the number of ranks (default: as near to a
            square as that number allows).
        block: The rows, and the columns, of the blocks in which matrices are spread over the grid (default: 64).
        silence: The number of seconds after which a rank that has not been heard is taken for lost (default: 60).
            A number below 10 counts as 10.
        timeout: The number of seconds that the call may take, with the time for which the ranks wait in a queue
            (default: no limit). After that time the ranks are ended.
        progress: A function that is called a few times a second with the part of the work that is done, a number that
            rises from 0 to 1, as `Server` calls it.

    Returns:
        x, in the shape of b: a read-only `numpy.memmap`, in Fortran order.

    Raises:
        LinAlgError: The matrix is exactly singular. The message says which diagonal element of U is zero.
        OSError: A file cannot be opened, or the folder for x cannot be written to.
        TypeError: An argument, or the elements of a file, are of another type.
        ValueError: The shapes of a and b do not fit each other, or an argument is out of range.
        UnusableFileError: The ranks cannot use a file: one is not on storage that they see, has a NaN, or the like; or
            `factors` are those of another matrix.
        ServerError: The ranks could not be started, or failed; the message says what they or the launcher said.
        ServerTimeoutError: The call took longer than `timeout`.

    Warns:
        LinAlgWarning: The estimated reciprocal condition number of a is below the precision.
    """
    how = _arranged(grid, block, transposed, refine)
    found = _solved(a, b, output, factors, how, launch(launcher, silence, timeout, progress))
    warn_of_ill_conditioned(np.array([found.rcond]), found.x.dtype)
    return found.x


def solution(
    a: Name,
    b: Name,
    *,
    launcher: str | Sequence[str],
    output: Name | None = None,
    factors: Name | None = None,
    transposed: bool = False,
    refine: bool = False,
    grid: tuple[int, int] | None = None,
    block: int | None = None,
    silence: int | None = None,
    timeout: float | None = None,
    progress: Callable[[float], object] | None = None,
) -> Solution:
    """Does the same as `solve`, and says how good x is and how fast it was computed.

    The arguments, the exceptions and the warning are those of `solve`.

    Returns:
        x and the figures.
    """
    how = _arranged(grid, block, transposed, refine)
    found = _solved(a, b, output, factors, how, launch(launcher, silence, timeout, progress))
    warn_of_ill_conditioned(np.array([found.rcond]), found.x.dtype)
    return found


def factor(
    a: Name,
    *,
    launcher: str | Sequence[str],
    output: Name | None = None,
    grid: tuple[int, int] | None = None,
    block: int | None = None,
    silence: int | None = None,
    timeout: float | None = None,
    progress: Callable[[float], object] | None = None,
) -> tuple[Memmap, NDArray[np.int32]]:
    """Computes P A = L U of a matrix in a .npy file, by the ranks of a launcher.

    What it returns is what `recfact.lu_factor` returns, and `recfact.lu_solve` takes it if memory has room for `lu`.

    Args:
        a: The file of a matrix of any shape, in C or Fortran order, with elements of type '<f8' or '<f4'.
        launcher: The command that starts the ranks: see `solve`.
        output: With what the names of two files begin that stay: `lu` is in the one with -lu.npy after it, in Fortran
            order, and in the one with -ipiv.npy are the row swaps as LAPACK has them: counted from 1, int64. Without a
            name `lu` is in a temporary file in the folder of `a`, as x is in `solve`.
        grid: The rows and the columns of the grid of ranks: see `solve`.
        block: The rows, and the columns, of the blocks in which the matrix is spread over the grid: see `solve`.
        silence: The number of seconds after which a rank is taken for lost: see `solve`.
        timeout: The number of seconds that the call may take: see `solve`.
        progress: A function that is told how much of the work is done: see `solve`.

    Returns:
        `(lu, piv)`. `lu` is a read-only `numpy.memmap`: U on and above the diagonal, and below it L without the ones on
        its diagonal. `piv` is an array in memory, int32: row i was swapped with row `piv[i]`, counted from 0.

    Raises:
        OSError: A file cannot be opened, or the folder for the results cannot be written to.
        TypeError: An argument, or the elements of the file, are of another type.
        ValueError: The file has no matrix, or an argument is out of range.
        UnusableFileError: The ranks cannot use a file: see `solve`.
        ServerError: The ranks could not be started, or failed; the message says what they or the launcher said.
        ServerTimeoutError: The call took longer than `timeout`.

    Warns:
        LinAlgWarning: U is exactly singular.
    """
    found = _factored(a, output, _arranged(grid, block), launch(launcher, silence, timeout, progress))
    warn_of_singular(np.array([found.info]))
    return found.lu, found.piv


def factorization(
    a: Name,
    *,
    launcher: str | Sequence[str],
    output: Name | None = None,
    grid: tuple[int, int] | None = None,
    block: int | None = None,
    silence: int | None = None,
    timeout: float | None = None,
    progress: Callable[[float], object] | None = None,
) -> Factors:
    """Does the same as `factor`, and says how fast the factors were computed.

    The arguments, the exceptions and the warning are those of `factor`.

    Returns:
        The factors and the figures.
    """
    found = _factored(a, output, _arranged(grid, block), launch(launcher, silence, timeout, progress))
    warn_of_singular(np.array([found.info]))
    return found


def _arranged(
    grid: tuple[int, int] | None, block: int | None, transposed: bool = False, refine: bool = False
) -> dict[str, Any]:
    """Returns what a frame says beside the names of files. Checks the arguments."""
    if grid is not None:
        try:
            rows, columns = grid
        except (TypeError, ValueError):
            raise TypeError(f"expected grid to be rows and columns of ranks, such as (2, 3), got {grid!r}") from None
        grid = integer(rows, "the rows of grid", 1, bits=32), integer(columns, "the columns of grid", 1, bits=32)
    block = 0 if block is None else integer(block, "block", 1, bits=32)
    return {
        "flags": TRANSPOSED if transposed else 0,
        "grid": grid or (0, 0),
        "block": block,
        "steps": int(bool(refine)),
    }


def _solved(a: Name, b: Name, output: Name | None, factors: Name | None, how: dict[str, Any], by: Launch) -> Solution:
    a_file, b_file, x_file = absolute(a, "a"), absolute(b, "b"), _place(output)
    of_factors = _prefix(factors)
    shape, dtype = _of_solution(_matrix(a_file), described(b_file, "b"), b_file)
    with results(x_file, os.path.dirname(a_file), [""]) as x_name:
        names = os.fsencode(a_file), os.fsencode(b_file), os.fsencode(x_name), of_factors
        answer = Ranks(by).do(_extended.files(names, **how))
        if answer.info:
            raise LinAlgError(f"A singular matrix detected: diagonal number {answer.info} is exactly zero.")
        x = _expected(mapped(x_name), shape, dtype)
    return Solution(
        **_figures(answer), x=x, rcond=answer.rcond, backward_error=answer.backward_error, steps=answer.steps
    )


def _factored(a: Name, output: Name | None, how: dict[str, Any], by: Launch) -> Factors:
    a_file, start = absolute(a, "a"), _place(output)
    shape, dtype = _of(_matrix(a_file))
    endings = "-lu.npy", "-ipiv.npy"
    with results(start, os.path.dirname(a_file), endings) as name:
        answer = Ranks(by).do(_extended.files((os.fsencode(a_file), b"", os.fsencode(name), b""), **how))
        lu, ipiv = (mapped(name + ending) for ending in endings)
        lu, ipiv = _expected(lu, shape, dtype), _expected(ipiv, (min(shape),), np.dtype("<i8"))
    # ScaLAPACK has fewer than 2^31 rows.
    piv = np.asarray(ipiv - 1).astype(np.int32)
    return Factors(**_figures(answer), lu=lu, piv=piv, info=answer.info)


def _place(output: Name | None) -> str | None:
    return None if output is None else absolute(output, "output")


def _prefix(factors: Name | None) -> bytes:
    if factors is None:
        return b""
    if not isinstance(factors, (str, bytes, os.PathLike)):
        kind = type(factors).__name__
        raise TypeError(f"expected factors to be the name that `factor` was given as `output`, got {kind}")
    return os.fsencode(absolute(factors, "factors"))


def _matrix(a_file: str) -> Memmap:
    a = described(a_file, "a")
    if a.ndim != 2:
        raise ValueError(f"expected a matrix in {a_file}, got an array of shape {a.shape}")
    return a


def _of_solution(a: Memmap, b: Memmap, b_file: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Returns the shape and the type of the solution. Raises an exception if a and b do not fit each other."""
    require_square(a)
    if b.ndim not in (1, 2) or len(b) != len(a):
        raise ValueError(f"incompatible shapes: {a.shape=} and {b.shape=}")
    if b.dtype != a.dtype:
        raise TypeError(
            f"expected b to have elements of type {a.dtype.str!r} as a has, got {b.dtype.str!r} in {b_file}; "
            f"numpy.save(name, b.astype({a.dtype.str!r})) makes such a file"
        )
    return _of(b)


def _of(array: Memmap) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Returns the shape and the type of an array, which need not stay mapped."""
    return array.shape, array.dtype


def _expected(result: Memmap, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Memmap:
    """Returns a result. Raises ServerError if it is not what the ranks were to write."""
    if _of(result) != (shape, dtype):
        raise ServerError(f"expected a result of {shape} {dtype}, got {result.shape} {result.dtype}")
    return result


def _figures(answer: _extended.FilesAnswer) -> dict[str, Any]:
    grid = answer.grid_rows, answer.grid_columns
    speed = {"seconds": answer.seconds, "factor_seconds": answer.factor_seconds, "gflops": answer.gflops}
    return {"ranks": grid[0] * grid[1], "grid": grid, "block": answer.block, **speed}
