"""Calls librecfact.so through ctypes: factorizations and solves in this process."""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char, c_char_p, c_double, c_int, c_int64, c_void_p
from functools import partial
from typing import Any

import numpy as np

from ._backend import (
    ACCURACY,
    CHECK_FINITE,
    DETERMINANT,
    NO_PIVOTING,
    NOT_FINITE,
    ROW_MAJOR,
    TRANSPOSED,
    X_BY_ROWS,
    Array,
    Backend,
    Integers,
    Solved,
    System,
)
from ._calls import Plan, Plans

# Values of `recfact_status` in recfact.h.
_SUCCESS, _INSTRUCTION_SET, _NOT_FINITE = 0, 7, 9

# A flag of recfact_gesv_batch_f64.
_KEEP_A = 0x2000

# A flag of recfact_refine_f64.
_BOUNDS = 0x1

_OF_STACKS = ("lu", "solve", "gesv", "inverse", "det")


class Library(Backend):
    """The functions of `recfact.h` as a backend."""

    name = "inprocess"

    def __init__(self, path: str) -> None:
        self._dll = ctypes.CDLL(path)
        # The library reads it at the first call, and never again.
        self._isa = os.environ.get("RECFACT_ISA")
        factor = [c_int64, c_int64, c_void_p, c_int64, c_void_p, c_int, c_int64, ctypes.POINTER(c_int64)]
        solve = [c_char, c_int64, c_int64, c_void_p, c_int64, c_void_p, c_void_p, c_int64, c_int64]
        self._factor = {s: self._function(f"recfact_factor_{s}", factor) for s in ("f32", "f64")}
        self._solve = {s: self._function(f"recfact_solve_{s}", solve) for s in ("f32", "f64")}
        # Without a list of argument types ctypes converts nothing: the arguments are its own objects already.
        self._lu = {s: self._function(f"recfact_lu_{s}", None) for s in ("f32", "f64")}
        invert = [c_int64, c_void_p, c_int64, c_void_p, c_int64, ctypes.POINTER(c_int64)]
        self._invert = {s: self._function(f"recfact_inverse_{s}", invert) for s in ("f32", "f64")}
        norm = [c_char, c_int64, c_int64, c_void_p, c_int64, ctypes.POINTER(c_double)]
        rcond = [c_char, c_int64, c_void_p, c_int64, c_void_p, c_double, ctypes.POINTER(c_double)]
        self._norm = {s: self._function(f"recfact_norm_{s}", norm) for s in ("f32", "f64")}
        self._rcond = {s: self._function(f"recfact_rcond_{s}", rcond) for s in ("f32", "f64")}
        self._refine = {s: self._function(f"recfact_refine_{s}", None) for s in ("f32", "f64")}
        self._stacks = {
            (name, s): self._function(f"recfact_{name}_batch_{s}", None) for name in _OF_STACKS for s in ("f32", "f64")
        }
        self._plans = Plans(self._check)
        self._dll.recfact_strerror.argtypes = [c_int]
        self._dll.recfact_strerror.restype = c_char_p

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int | Integers] | None:
        """See `recfact._backend`."""
        if a.shape[-2] >= 2**31:
            return None
        flags = (0 if pivot else NO_PIVOTING) | (CHECK_FINITE if check_finite else 0)
        prepare = self._prepared_lu if a.ndim == 2 else self._prepared_lu_stack
        lu, piv, info = self._plans.run(prepare, (a,), flags, threads)
        return lu, piv, info

    def gesv(self, a: Array, b: Array, *, transposed: bool, check_finite: bool, threads: int | None) -> Solved | None:
        """See `recfact._backend`."""
        flags = _KEEP_A | (TRANSPOSED if transposed else 0) | (CHECK_FINITE if check_finite else 0)
        return Solved(*self._plans.run(self._prepared_gesv, (a, b), flags, threads))

    def inverse(self, a: Array, *, check_finite: bool, threads: int | None) -> Solved | None:
        """See `recfact._backend`."""
        return Solved(*self._plans.run(self._prepared_inverse, (a,), CHECK_FINITE if check_finite else 0, threads))

    def determinant(self, a: Array, *, check_finite: bool, threads: int | None) -> tuple[Array, Array] | None:
        """See `recfact._backend`."""
        (det,) = self._plans.run(self._prepared_determinant, (a,), CHECK_FINITE if check_finite else 0, threads)
        return det["mantissa"], det["exponent"]

    def _prepared_lu(self, a: Array, flags: int, threads: int | None) -> Plan:
        m, n = a.shape
        order, lda, *_ = _layout(a)
        lu, piv, info = np.empty(a.shape, a.dtype, "F"), np.empty(min(m, n), np.int32), np.empty((), np.int64)
        call = partial(
            self._lu[_suffix(a)],
            *(c_int64(m), c_int64(n), _address(a), c_int64(lda), c_int(flags | order)),
            *(_address(lu), c_int64(m), _address(piv), c_int64(threads or 0), _address(info)),
        )
        return Plan((a,), call, (lu, piv, info))

    def _prepared_lu_stack(self, a: Array, flags: int, threads: int | None) -> Plan:
        *batch, m, n = a.shape
        order, lda, stride, count = _layout(a)
        lu = np.empty((*batch, n, m), a.dtype).swapaxes(-1, -2)
        piv, info = np.empty((*batch, min(m, n)), np.int32), np.empty(batch, np.int64)
        call = partial(
            self._stacks["lu", _suffix(a)],
            *(c_int64(count), c_int64(m), c_int64(n), _address(a), c_int64(lda), c_int64(stride)),
            *(c_int(flags | order), _address(lu), c_int64(m), c_int64(m * n), _address(piv)),
            *(c_int64(threads or 0), _address(info)),
        )
        return Plan((a,), call, (lu, piv, info))

    def _prepared_gesv(self, a: Array, x: Array, flags: int, threads: int | None) -> Plan:
        n = a.shape[-1]
        order, lda, stride, count = _layout(a)
        nrhs = x.shape[-1] if x.ndim == a.ndim else 1
        info, rcond = np.empty(a.shape[:-2], np.int64), np.empty(a.shape[:-2], a.dtype)
        call = partial(
            self._stacks["gesv", _suffix(a)],
            *(c_int64(count), c_int64(n), c_int64(nrhs), _address(a), c_int64(lda), c_int64(stride), c_void_p()),
            *(_address(x), c_int64(nrhs), c_int64(n * nrhs), c_int(flags | order | X_BY_ROWS), _address(rcond)),
            *(c_int64(threads or 0), _address(info)),
        )
        return Plan((a, x), call, (x, info, rcond))

    def _prepared_inverse(self, a: Array, flags: int, threads: int | None) -> Plan:
        n = a.shape[-1]
        order, lda, stride, count = _layout(a)
        x, info, rcond = np.empty(a.shape, a.dtype), np.empty(a.shape[:-2], np.int64), np.empty(a.shape[:-2], a.dtype)
        call = partial(
            self._stacks["inverse", _suffix(a)],
            *(c_int64(count), c_int64(n), _address(a), c_int64(lda), c_int64(stride)),
            *(c_int(flags | order | X_BY_ROWS), _address(x), c_int64(n), c_int64(n * n), _address(rcond)),
            *(c_int64(threads or 0), _address(info)),
        )
        return Plan((a,), call, (x, info, rcond))

    def _prepared_determinant(self, a: Array, flags: int, threads: int | None) -> Plan:
        order, lda, stride, count = _layout(a)
        det = np.empty(a.shape[:-2], DETERMINANT)
        call = partial(
            self._stacks["det", _suffix(a)],
            *(c_int64(count), c_int64(a.shape[-1]), _address(a), c_int64(lda), c_int64(stride)),
            *(c_int(flags | order), _address(det), c_int64(threads or 0)),
        )
        return Plan((a,), call, (det,))

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """See `recfact._backend`."""
        m, n = a.shape
        info = c_int64()
        factor = self._factor[_suffix(a)]
        self._check(factor(m, n, a.ctypes.data, m, ipiv.ctypes.data, pivot, threads or 0, ctypes.byref(info)))
        return info.value

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        n, nrhs = b.shape
        solve = self._solve[_suffix(lu)]
        side = b"T" if trans else b"N"
        self._check(solve(side, n, nrhs, lu.ctypes.data, n, ipiv.ctypes.data, b.ctypes.data, n, threads or 0))

    def solve_stack(self, trans: bool, lu: Array, ipiv: Integers, x: Array, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        *_, n, nrhs = x.shape
        _, lda, stride, count = _layout(lu)
        self._check(
            self._stacks["solve", _suffix(lu)](
                *(c_char(b"T" if trans else b"N"), c_int64(count), c_int64(n), c_int64(nrhs)),
                *(_address(lu), c_int64(lda), c_int64(stride), _address(ipiv)),
                *(_address(x), c_int64(n), c_int64(n * nrhs), c_int(0), c_int64(threads or 0)),
            )
        )

    def invert(self, lu: Array, ipiv: Integers, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        n, info = len(lu), c_int64()
        invert = self._invert[_suffix(lu)]
        self._check(invert(n, lu.ctypes.data, n, ipiv.ctypes.data, threads or 0, ctypes.byref(info)))

    def norm(self, a: Array) -> float:
        """See `recfact._backend`."""
        norm = c_double()
        self._check(self._norm[_suffix(a)](b"1", *a.shape, a.ctypes.data, len(a), ctypes.byref(norm)))
        return norm.value

    def rcond(self, lu: Array, ipiv: Integers, norm: float) -> float:
        """See `recfact._backend`."""
        n, rcond = len(lu), c_double()
        call = self._rcond[_suffix(lu)]
        self._check(call(b"1", n, lu.ctypes.data, n, ipiv.ctypes.data, norm, ctypes.byref(rcond)))
        return rcond.value

    def refine(self, system: System, *, max_steps: int, bounds: bool, threads: int | None) -> Array | None:
        """See `recfact._backend`."""
        trans, a, lu, ipiv, b, x = system
        n, nrhs = x.shape
        ld, accuracy = c_int64(n), np.empty(nrhs, ACCURACY) if bounds else None
        self._check(
            self._refine[_suffix(a)](
                *(c_char(b"T" if trans else b"N"), ld, c_int64(nrhs), _address(a), ld, _address(lu), ld),
                *(_address(ipiv), _address(b), ld, _address(x), ld, c_int64(max_steps)),
                *(c_int(_BOUNDS if bounds else 0), None if accuracy is None else _address(accuracy)),
                c_int64(threads or 0),
            )
        )
        return accuracy

    def _function(self, symbol: str, arguments: list[Any] | None) -> Any:
        try:
            function = getattr(self._dll, symbol)
        except AttributeError as missing:
            raise OSError(str(missing)) from None
        if arguments is not None:
            function.argtypes = arguments
        function.restype = c_int
        return function

    def _check(self, status: int) -> None:
        if status == _SUCCESS:
            return
        if status == _NOT_FINITE:
            raise ValueError(NOT_FINITE)
        if status == _INSTRUCTION_SET:
            raise RuntimeError(
                "expected the environment variable RECFACT_ISA to name an instruction set of this CPU (portable, avx2 "
                f"or avx512), got {self._isa!r}; unset it, or set it to portable, and start the program again"
            )
        raise RuntimeError(f"librecfact.so refused the call: {self._dll.recfact_strerror(status).decode()}")


def _layout(a: Array) -> tuple[int, int, int, int]:
    """Returns the flag for the order of packed matrices, their leading dimension, their distance and their number."""
    *_, m, n = a.shape
    order, lda = (ROW_MAJOR, n) if a.flags.c_contiguous else (0, m)
    return order, lda, m * n, a.size // (m * n)


def _address(a: Array) -> c_void_p:
    return c_void_p(a.ctypes.data)


def _suffix(a: Array) -> str:
    return "f32" if a.dtype == np.float32 else "f64"
