"""Calls librecfact.so through ctypes: factorizations and solves in this process."""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char, c_char_p, c_int, c_int64, c_void_p
from typing import Any

import numpy as np

from ._backend import Array, Integers

# Values of `recfact_status` in recfact.h.
_SUCCESS, _INSTRUCTION_SET = 0, 7


class Library:
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
        self._dll.recfact_strerror.argtypes = [c_int]
        self._dll.recfact_strerror.restype = c_char_p

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

    def _function(self, symbol: str, arguments: list[Any]) -> Any:
        try:
            function = getattr(self._dll, symbol)
        except AttributeError as missing:
            raise OSError(str(missing)) from None
        function.argtypes = arguments
        function.restype = c_int
        return function

    def _check(self, status: int) -> None:
        if status == _SUCCESS:
            return
        if status == _INSTRUCTION_SET:
            raise RuntimeError(
                "expected the environment variable RECFACT_ISA to name an instruction set of this CPU (portable, avx2 "
                f"or avx512), got {self._isa!r}; unset it, or set it to portable, and start the program again"
            )
        raise RuntimeError(f"librecfact.so refused the call: {self._dll.recfact_strerror(status).decode()}")


def _suffix(a: Array) -> str:
    return "f32" if a.dtype == np.float32 else "f64"
