"""What a server computes: in mapped memory, or only factorizations through the pipes, and the rest in this process."""

from __future__ import annotations

import math
from functools import partial
from typing import Callable

import numpy as np

from . import _extended, _fallback, _mapped, _process, _requests
from ._backend import (
    CHECK_FINITE,
    NO_PIVOTING,
    TRANSPOSED,
    Array,
    Backend,
    Factors,
    Integers,
    Judged,
    Solved,
    System,
)
from ._connection import LOST, Connection
from ._errors import FactorsLostError, ServerError
from ._kept import KeptFactors
from ._wire import Request


class Remote(Connection, Backend):
    """The functions of a server as a backend."""

    name = "server"

    def lu_factor(
        self, a: Array, *, pivot: bool, check_finite: bool, threads: int | None
    ) -> tuple[Array, Array, int | Integers] | None:
        """See `recfact._backend`."""
        if self._reason is not None or a.shape[-2] >= 2**31:
            return None
        flags = _extended.ZERO_BASED_PIVOTS | (0 if pivot else NO_PIVOTING) | (CHECK_FINITE if check_finite else 0)
        if a.ndim > 2:
            found = self._in_turn(self._computed, _requests.factor_stack, (a,), flags, threads)
            return None if found is None else (found[0], found[1], found[2])
        return self._in_turn(self._lu_factor, a, flags, threads)

    def _lu_factor(self, a: Array, flags: int, threads: int | None) -> tuple[Array, Array, int] | None:
        found = self._by_segment(_requests.factor, (a,), flags, threads)
        if found is None:
            self._check()
            return None
        plan, answer = found
        lu, piv = plan.results
        return lu.copy("F"), piv.copy(), _extended.info(answer)

    def gesv(self, a: Array, b: Array, *, transposed: bool, check_finite: bool, threads: int | None) -> Solved | None:
        """See `recfact._backend`."""
        flags = (TRANSPOSED if transposed else 0) | (CHECK_FINITE if check_finite else 0)
        found = self._in_turn(self._computed, _requests.gesv, (a, b), flags, threads)
        return None if found is None else Solved(*found)

    def inverse(self, a: Array, *, check_finite: bool, threads: int | None) -> Solved | None:
        """See `recfact._backend`."""
        found = self._in_turn(self._computed, _requests.inverse, (a,), CHECK_FINITE if check_finite else 0, threads)
        return None if found is None else Solved(*found)

    def determinant(self, a: Array, *, check_finite: bool, threads: int | None) -> tuple[Array, Array] | None:
        """See `recfact._backend`."""
        found = self._in_turn(self._computed, _requests.determinant, (a,), CHECK_FINITE if check_finite else 0, threads)
        return None if found is None else (found[0]["mantissa"], found[0]["exponent"])

    def keep(self, a: Array, *, pivot: bool, keep_a: bool, threads: int | None) -> Factors | None:
        """See `recfact._backend`."""
        flags = (0 if pivot else NO_PIVOTING) | (_extended.KEEP_A if keep_a else 0)
        found = self._in_turn(self._system, _requests.keep, (a,), flags, threads)
        return None if found is None else KeptFactors(self, *found[1:], a)

    def judged(
        self, a: Array, b: Array, *, transposed: bool, refine: bool, rcond: bool, threads: int | None
    ) -> Judged | None:
        """See `recfact._backend`."""
        flags = _extended.BOUNDS | (TRANSPOSED if transposed else 0) | (_extended.KEEP_FACTORS if rcond else 0)
        request = _requests.refine if refine else _requests.judge
        found = self._in_turn(self._system, request, (a, b), flags, threads)
        if found is None:
            return None
        (x, accuracy), process, answer = found
        condition = KeptFactors(self, process, answer, a).rcond() if rcond else math.nan
        return Judged(x, answer.info, accuracy, condition)

    def ask_kept(
        self, kept: KeptFactors, request: _requests.Request, a: Array, flags: int = 0
    ) -> tuple[tuple[Array, ...], _extended.SystemAnswer]:
        """Has something computed from kept factors. Returns new arrays and the answer.

        Raises:
            FactorsLostError: The server that kept them has ended.
        """
        found = self._in_turn(self._system, request, (a,), flags, None, kept)
        if found is None:
            raise ServerError(f"there is no room for the results for {a.shape[0]} x {a.shape[1]} numbers")
        return found[0], found[2]

    def _system(
        self,
        request: _requests.Request,
        inputs: tuple[Array, ...],
        flags: int,
        threads: int | None,
        kept: KeptFactors | None = None,
    ) -> tuple[tuple[Array, ...], _process.Process, _extended.SystemAnswer] | None:
        """Has a request of family 0x30 computed. Returns new arrays, who computed them, and the answer."""
        self._release_forgotten()
        if kept is not None and self._process is not kept.process and not self._closed:
            raise FactorsLostError(LOST)
        mapped = self._joined()
        if mapped is not None and mapped.can_keep:
            found = self._by_segment(request, inputs, flags, threads, kept)
            if found is not None and self._process is not None:
                plan, payload = found
                results = tuple(result.copy("K") for result in plan.results)
                return results, self._process, _extended.system_answer(payload)
        self._check()
        return None

    def factor_stack(
        self, place: Callable[[], Array], ipiv: Integers, info: Integers, *, pivot: bool, threads: int | None
    ) -> Array:
        """See `recfact._backend`. The whole stack is one call, which has its turn while matrices are copied, too."""
        factor_stack = partial(super().factor_stack, place, ipiv, info, pivot=pivot, threads=threads)
        return self._in_turn(factor_stack)

    def factor(self, a: Array, ipiv: Integers, *, pivot: bool, threads: int | None) -> int:
        """See `recfact._backend`. A call that asks for fewer threads than the server has gets one thread."""
        self._check()
        found = self._by_segment(_requests.factor, (a,), 0 if pivot else NO_PIVOTING, threads)
        if found is None:
            return self._by_pipe(a, ipiv, pivot, threads)
        plan, answer = found
        a[...], ipiv[...] = plan.results
        return _extended.info(answer)

    def _computed(
        self, request: _requests.Request, inputs: tuple[Array, ...], flags: int, threads: int | None
    ) -> tuple[Array, ...] | None:
        """Has a matrix or a stack computed by batches in the segment. Returns new arrays, or None if that cannot be."""
        mapped = self._joined()
        if mapped is not None and mapped.can_batch:
            *batch, _, _ = inputs[0].shape
            piece = mapped.piece(inputs[0], threads)
            if math.prod(batch) <= piece:
                found = self._by_segment(request, inputs, flags, threads)
                if found is not None:
                    return tuple(result.copy("K") for result in found[0].results)
            else:
                flat = [x.reshape(-1, *x.shape[len(batch) :]) for x in inputs]
                results = self._by_pieces(request, flat, flags, threads, piece)
                if results is not None:
                    return tuple(result.reshape(*batch, *result.shape[1:]) for result in results)
        self._check()
        return None

    def _by_pieces(
        self, request: _requests.Request, inputs: list[Array], flags: int, threads: int | None, piece: int
    ) -> list[Array] | None:
        """Has a long stack computed, some matrices at a time."""
        count = len(inputs[0])
        results: list[Array] = []
        for first in range(0, count, piece):
            self._check()
            part = slice(first, first + piece)
            found = self._by_segment(request, tuple(x[part] for x in inputs), flags, threads)
            if found is None:
                return None
            plan, _ = found
            results = results or [np.empty_like(result, shape=(count, *result.shape[1:])) for result in plan.results]
            for whole, result in zip(results, plan.results):
                whole[part] = result
        return results

    def _by_pipe(self, a: Array, ipiv: Integers, pivot: bool, threads: int | None) -> int:
        """Has a matrix factored by a version 1 frame."""
        request = Request(a, ipiv, pivot=pivot, threaded=_mapped.is_threaded(threads, self.threads))
        self._ask(_process.Process.ask, request)
        if request.refusal:
            raise self._failure(f"the server refused the request, {request.refusal}")
        return request.info

    def solve(self, trans: bool, lu: Array, ipiv: Integers, b: Array, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        if not self._solve(trans, lu, ipiv, b, threads):
            _fallback.library_or_scipy().solve(trans, lu, ipiv, b, threads=threads)

    def solve_stack(self, trans: bool, lu: Array, ipiv: Integers, x: Array, *, threads: int | None) -> None:
        """See `recfact._backend`."""
        if not self._solve(trans, lu, ipiv, x, threads):
            _fallback.library_or_scipy().solve_stack(trans, lu, ipiv, x, threads=threads)

    def _solve(self, trans: bool, lu: Array, ipiv: Integers, x: Array, threads: int | None) -> bool:
        """Solves in place, if there is mapped memory. Returns whether; if not, the shared library can, or SciPy."""
        found = self._in_turn(self._computed, _requests.solve, (lu, ipiv, x), TRANSPOSED if trans else 0, threads)
        if found is not None:
            x[...] = found[0]
        return found is not None

    def invert(self, lu: Array, ipiv: Integers, *, threads: int | None) -> None:
        """See `recfact._backend`. The shared library computes it, or SciPy."""
        _fallback.library_or_scipy().invert(lu, ipiv, threads=threads)

    def norm(self, a: Array) -> float:
        """See `recfact._backend`, and `invert`."""
        return _fallback.library_or_scipy().norm(a)

    def rcond(self, lu: Array, ipiv: Integers, norm: float) -> float:
        """See `recfact._backend`, and `invert`."""
        return _fallback.library_or_scipy().rcond(lu, ipiv, norm)

    def refine(self, system: System, *, max_steps: int, bounds: bool, threads: int | None) -> Array | None:
        """See `recfact._backend`, and `invert`."""
        other = _fallback.library_or_scipy()
        return other.refine(system, max_steps=max_steps, bounds=bounds, threads=threads)
