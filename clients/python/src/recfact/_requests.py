"""The requests that go to a server in mapped memory: where each operand lies, and the frame that says so.

Every function here gets the arrays of a call, of which only shape, type and order matter, and lays out a request for
arrays like them. Whole stacks are one request.
"""

from __future__ import annotations

import math
from typing import Any, Callable, NamedTuple

import numpy as np

from . import _extended
from ._backend import DETERMINANT, ROW_MAJOR, X_BY_ROWS, Array
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


def _operand_like(a: Array, offset: int) -> Operand:
    return Operand(offset, a.shape, a.dtype, by_columns(a))


def _for_each(a: Array, offset: int) -> tuple[Operand, Operand]:
    """Returns room for an `info` and a condition number of each matrix."""
    info = Operand(offset, a.shape[:-2], _INFO)
    return info, Operand(info.end, a.shape[:-2], a.dtype)


def _vector(operand: Operand) -> tuple[int, int, int]:
    return operand.offset, 0, 0


def _flags_of(a: Operand, flags: int) -> int:
    flags |= 0 if a.by_columns else ROW_MAJOR
    return flags | (_extended.F32 if a.dtype == np.float32 else 0)


def _type_of_swaps(flags: int) -> np.dtype[Any]:
    return np.dtype(np.int32 if flags & _extended.ZERO_BASED_PIVOTS else np.int64)
