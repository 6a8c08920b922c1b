"""The requests that go to a server in mapped memory: where each operand lies, and the frame that says so.

Every function here gets the arrays of a call, of which only shape, type and order matter, and lays out a request for
arrays like them. Whole stacks are one request.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Callable, NamedTuple

import numpy as np

from . import _extended
from ._backend import ACCURACY, DETERMINANT, MAX_STEPS, ROW_MAJOR, X_BY_ROWS, Array, Integers
from ._extended import Frame

# Operands begin at cache lines.
_ALIGNMENT = 64

_INFO = np.dtype(np.int64)


class Operand(NamedTuple):
    """An array in a segment: a matrix, a stack of matrices, or numbers for each of them."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool = False

    @property
    def nbytes(self) -> int:
        """Its size."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Where the next operand may begin."""
        return -(-(self.offset + self.nbytes) // _ALIGNMENT) * _ALIGNMENT

    @property
    def place(self) -> tuple[int, int, int]:
        """Offset, leading dimension and distance of matrices, as the wire has them."""
        m, n = self.shape[-2:]
        return self.offset, m if self.by_columns else n, m * n


class Layout(NamedTuple):
    """A request, and the operands that the client fills and reads.

    `nbytes` is what the server compares with its limit, `end` the size of the segment that is needed.
    """

    frame: Frame
    inputs: tuple[Operand, ...]
    results: tuple[Operand, ...]
    nbytes: int
    end: int


# Lays out a request for arrays, with flags of the wire, on one thread or on all.
Request = Callable[..., Layout]


def factor(a: Array, flags: int, threaded: bool) -> Layout:
    """P A = L U of one matrix. Results: L and U, the row swaps."""
    m, n = a.shape
    given = _operand_like(a, 0)
    lu = given if given.by_columns else Operand(given.end, a.shape, a.dtype, by_columns=True)
    swaps = Operand(lu.end, (min(m, n),), _type_of_swaps(flags))
    places = *given.place[:2], *lu.place[:2], swaps.offset
    frame = _extended.factor((m, n), _flags_of(given, flags), threaded, places)
    return Layout(frame, (given,), (lu, swaps), a.nbytes, swaps.end)


def factor_stack(a: Array, flags: int, threaded: bool) -> Layout:
    """P A = L U of each matrix. Results: L and U, the row swaps, `info`."""
    *batch, m, n = a.shape
    given = _operand_like(a, 0)
    lu = given if given.by_columns else Operand(given.end, a.shape, a.dtype, by_columns=True)
    swaps = Operand(lu.end, (*batch, min(m, n)), _type_of_swaps(flags))
    info = Operand(swaps.end, (*batch,), _INFO)
    places = {"a": given.place, "lu": lu.place, "ipiv": _vector(swaps), "info": _vector(info)}
    return _batch(_extended.BATCH_FACTOR, 0, flags, threaded, places, (given,), (lu, swaps, info))


def solve(lu: Array, ipiv: Integers, b: Array, flags: int, threaded: bool) -> Layout:
    """A X = B for each matrix from its factors. Result: X."""
    given = _operand_like(lu, 0)
    swaps = Operand(given.end, ipiv.shape, _INFO)
    x = Operand(swaps.end, b.shape, b.dtype)
    places = {"a": given.place, "ipiv": _vector(swaps), "b": x.place, "x": x.place}
    inputs = (given, swaps, x)
    return _batch(_extended.BATCH_SOLVE, b.shape[-1], flags | X_BY_ROWS, threaded, places, inputs, (x,))


def gesv(a: Array, b: Array, flags: int, threaded: bool) -> Layout:
    """A X = B for each matrix. Results: X, `info`, the reciprocal condition numbers."""
    given, nrhs = _operand_like(a, 0), b.shape[-1] if b.ndim == a.ndim else 1
    x = Operand(given.end, b.shape, b.dtype)
    place = x.offset, nrhs, a.shape[-1] * nrhs
    info, rcond = _for_each(a, x.end)
    places = {"a": given.place, "b": place, "x": place, "info": _vector(info), "rcond": _vector(rcond)}
    return _batch(_extended.BATCH_GESV, nrhs, flags | X_BY_ROWS, threaded, places, (given, x), (x, info, rcond))


def inverse(a: Array, flags: int, threaded: bool) -> Layout:
    """The inverse of each matrix. Results: X, `info`, the reciprocal condition numbers."""
    given = _operand_like(a, 0)
    x = Operand(given.end, a.shape, a.dtype)
    info, rcond = _for_each(a, x.end)
    places = {"a": given.place, "x": x.place, "info": _vector(info), "rcond": _vector(rcond)}
    return _batch(_extended.BATCH_INVERSE, 0, flags | X_BY_ROWS, threaded, places, (given,), (x, info, rcond))


def determinant(a: Array, flags: int, threaded: bool) -> Layout:
    """The determinant of each matrix. Results: mantissas and exponents."""
    given = _operand_like(a, 0)
    det = Operand(given.end, a.shape[:-2], DETERMINANT)
    return _batch(_extended.BATCH_DET, 0, flags, threaded, {"a": given.place, "det": _vector(det)}, (given,), (det,))


def keep(a: Array, flags: int, threaded: bool) -> Layout:
    """The factors of one matrix, which the server keeps. No results but the handle."""
    given = _operand_like(a, 0)
    return _system(_extended.KEEP, len(a), 0, _flags_of(given, flags), threaded, {"a": given})


def _solve_kept(b: Array, flags: int, threaded: bool, *, judged: bool, steps: int = 0) -> Layout:
    """A X = B from kept factors, for n x nrhs. Results: X, and if it is judged, its accuracy."""
    x = _operand_like(b, 0)
    return _solutions({}, x, _flags_of_kept(x, flags), threaded, judged, steps)


# By whether solutions are refined, and judged.
SOLVE_KEPT = {
    (refined, judged): partial(_solve_kept, judged=judged, steps=MAX_STEPS if refined else 0)
    for refined in (False, True)
    for judged in (False, True)
}


def judge(a: Array, b: Array, flags: int, threaded: bool, *, steps: int = 0) -> Layout:
    """A X = B for one matrix. Results: X and its accuracy."""
    given = _operand_like(a, 0)
    x = Operand(given.end, b.shape, b.dtype)
    return _solutions({"a": given}, x, _flags_of(given, flags) | X_BY_ROWS, threaded, True, steps)


refine = partial(judge, steps=MAX_STEPS)


def inverse_kept(a: Array, flags: int, threaded: bool) -> Layout:
    """The inverse of a matrix like `a` from its kept factors. Result: X."""
    x = Operand(0, a.shape, a.dtype)
    return _system(_extended.INVERSE, len(a), 0, _flags_of_kept(x, flags), threaded, {"x": x}, (x,))


def condition_kept(a: Array, flags: int, threaded: bool) -> Layout:
    """The reciprocal condition number of a matrix like `a` from its kept factors. No results but that."""
    return _system(_extended.CONDITION, len(a), 0, flags | _single(a.dtype), threaded, {})


def determinant_kept(a: Array, flags: int, threaded: bool) -> Layout:
    """The determinant of a matrix like `a` from its kept factors. No results but that."""
    return _system(_extended.DETERMINANT, len(a), 0, flags | _single(a.dtype), threaded, {})


def by_columns(a: Array) -> bool:
    """Returns whether a request has the matrices by columns. They are copied to it, so any other order becomes rows."""
    return not a.flags.c_contiguous and bool(a.swapaxes(-1, -2).flags.c_contiguous)


def _batch(
    command: int,
    nrhs: int,
    flags: int,
    threaded: bool,
    places: dict[str, tuple[int, int, int]],
    inputs: tuple[Operand, ...],
    results: tuple[Operand, ...],
) -> Layout:
    *batch, m, n = inputs[0].shape
    sizes = math.prod(batch), m, n, nrhs
    frame = _extended.batch(command, sizes, _flags_of(inputs[0], flags), threaded, places)
    nbytes = sum(operand.nbytes for operand in {*inputs, *results})
    return Layout(frame, inputs, results, nbytes, results[-1].end)


def _solutions(given: dict[str, Operand], x: Operand, flags: int, threaded: bool, judged: bool, steps: int) -> Layout:
    n, nrhs = x.shape
    accuracy = {"accuracy": Operand(x.end, (nrhs,), ACCURACY)} if judged else {}
    operands = {**given, "b": x, "x": x, **accuracy}
    return _system(_extended.SOLVE, n, nrhs, flags, threaded, operands, (x, *accuracy.values()), steps)


def _system(
    command: int,
    n: int,
    nrhs: int,
    flags: int,
    threaded: bool,
    operands: dict[str, Operand],
    results: tuple[Operand, ...] = (),
    steps: int = 0,
) -> Layout:
    places = {name: _vector(o) if name == "accuracy" else (*o.place[:2], 0) for name, o in operands.items()}
    frame = _extended.system(command, n, nrhs, steps, flags, threaded, places)
    inputs = tuple(operand for name, operand in operands.items() if name in ("a", "b"))
    nbytes = sum(operand.nbytes for operand in {*operands.values()})
    return Layout(frame, inputs, results, nbytes, max((operand.end for operand in operands.values()), default=0))


def _operand_like(a: Array, offset: int) -> Operand:
    return Operand(offset, a.shape, a.dtype, by_columns(a))


def _for_each(a: Array, offset: int) -> tuple[Operand, Operand]:
    """Returns room for an `info` and a condition number of each matrix."""
    info = Operand(offset, a.shape[:-2], _INFO)
    return info, Operand(info.end, a.shape[:-2], a.dtype)


def _vector(operand: Operand) -> tuple[int, int, int]:
    return operand.offset, 0, 0


def _flags_of(a: Operand, flags: int) -> int:
    return flags | (0 if a.by_columns else ROW_MAJOR) | _single(a.dtype)


def _flags_of_kept(x: Operand, flags: int) -> int:
    return flags | (0 if x.by_columns else X_BY_ROWS) | _single(x.dtype)


def _single(dtype: np.dtype[Any]) -> int:
    return _extended.F32 if dtype == np.float32 else 0


def _type_of_swaps(flags: int) -> np.dtype[Any]:
    return np.dtype(np.int32 if flags & _extended.ZERO_BASED_PIVOTS else np.int64)
