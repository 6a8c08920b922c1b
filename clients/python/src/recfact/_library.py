"""Calls librecfact.so through ctypes: factorizations and solves in this process."""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char, c_char_p, c_int, c_int64, c_void_p
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ._backend import CHECK_FINITE, NO_PIVOTING, NOT_FINITE, ROW_MAJOR, Array, Backend, Integers

# Values of `recfact_status` in recfact.h.
_SUCCESS, _INSTRUCTION_SET, _NOT_FINITE = 0, 7, 9

# A matrix of at most this size is copied to memory of a plan, and its factors from there: up to n = 90 that takes less
# time than to ask NumPy for the addresses of new arrays, 1.5 us each (AMD Zen 3 with AVX2, November 2026, numpy 2.4).
_MAX_PLAN_BYTES = 1 << 16

# The number of different calls for which plans are kept. With that of `_MAX_PLAN_BYTES` this bounds their memory: 8 MiB
# for each thread that calls at the same time.
_MAX_PLANS = 64


class _Plan(NamedTuple):
    """A call that is ready to be made: working memory, and the C arguments that point to it."""

    source: Array
    call: partial[int]
    info: c_int64
    lu: Array
    piv: Array


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
        # Plans that no call uses at the moment. To take one and to put it back are atomic operations of a list, so no
        # two threads use the same plan, and a fork finds whole plans in the child.
        self._plans: dict[tuple[Any, ...], list[_Plan]] = {}
        self._dll.recfact_strerror.argtypes = [c_int]
        self._dll.recfact_strerror.restype = c_char_p

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int] | None:
        """See `recfact._backend`."""
        flags = (0 if pivot else NO_PIVOTING) | (CHECK_FINITE if check_finite else 0)
        key = a.shape, a.dtype, a.flags.f_contiguous, flags, threads
        try:
            plans = self._plans[key]
            plan = plans.pop()
        except (KeyError, IndexError):
            if a.nbytes > _MAX_PLAN_BYTES:
                return self._lu_of_large(a, flags, threads)
            plan = self._plan(a, flags, threads)
            if len(self._plans) >= _MAX_PLANS:
                self._plans = {}
            plans = self._plans.setdefault(key, [])
        source, call, info, lu, piv = plan
        source[...] = a
        self._check(call())
        result = lu.copy("F"), piv.copy(), info.value
        plans.append(plan)
        return result

    def _plan(self, a: Array, flags: int, threads: int | None) -> _Plan:
        """Makes a plan for matrices like this one."""
        source = np.empty(a.shape, a.dtype, "F" if a.flags.f_contiguous else "C")
        lu, piv, info = np.empty(a.shape, a.dtype, "F"), np.empty(min(a.shape), np.int32), c_int64()
        return _Plan(source, self._call(source, flags, lu, piv, threads, info), info, lu, piv)

    def _lu_of_large(self, a: Array, flags: int, threads: int | None) -> tuple[Array, Array, int] | None:
        """Has the factors of a matrix written to new arrays at once."""
        if not (a.flags.forc and a.flags.aligned) or len(a) >= 2**31:
            return None
        lu, piv, info = np.empty(a.shape, a.dtype, "F"), np.empty(min(a.shape), np.int32), c_int64()
        self._check(self._call(a, flags, lu, piv, threads, info)())
        return lu, piv, info.value

    def _call(self, a: Array, flags: int, lu: Array, piv: Array, threads: int | None, info: c_int64) -> partial[int]:
        """Prepares a call of `recfact_lu_f64` or `recfact_lu_f32`. The arrays must live as long as it does."""
        m, n = a.shape
        flags, lda = (flags, m) if a.flags.f_contiguous else (flags | ROW_MAJOR, n)
        return partial(
            self._lu[_suffix(a)],
            *(c_int64(m), c_int64(n), c_void_p(a.ctypes.data), c_int64(lda), c_int(flags)),
            *(c_void_p(lu.ctypes.data), c_int64(m), c_void_p(piv.ctypes.data), c_int64(threads or 0)),
            ctypes.byref(info),
        )

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


def _suffix(a: Array) -> str:
    return "f32" if a.dtype == np.float32 else "f64"
