"""The functions with which a matrix is solved more than once, or a solution is judged."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import common_type, validated
from ._backend import ACCURACY
from ._checks import require_general, require_regular, require_square, thread_count, warn_of_unbounded
from ._engine import Engine
from ._factorization import Factorization, Solution, judgement


class Systems(Engine):
    """A part of the functions of the package. A subclass says which backend computes."""

    def factorized(
        self,
        a: ArrayLike,
        *,
        check_finite: bool = True,
        pivot: bool = True,
        keep_a: bool = True,
        threads: int | None = None,
    ) -> Factorization:
        """Factors a square matrix once, P A = L U, to solve with it many times.

        A server keeps the factors, so that each solution sends the right-hand side alone. It keeps a copy of the matrix
        as well, for refinement and bounds of errors; `keep_a=False` saves that memory. A singular matrix is no error
        here: see `Factorization.info`. `pivot` and `threads` are as in `lu_factor`.
        """
        thread_count(threads)
        keep = partial(self._keep, pivot=pivot, keep_a=keep_a, threads=threads)
        return Factorization(keep, a, check_finite, keep_a)

    def solution(
        self,
        a: ArrayLike,
        b: ArrayLike,
        *,
        refine: bool = True,
        check_finite: bool = True,
        assume_a: str | None = None,
        transposed: bool = False,
        threads: int | None = None,
    ) -> Solution:
        """Solves a x = b, or a.T x = b with `transposed`, and says how good x is: see `Solution`.

        The residual is computed in twice the precision, and x corrected by it until that makes no progress. With
        `refine=False` x is that of `solve`, and is only judged.

        Stacks of matrices are broadcast; `rcond` has an element for each matrix then. Raises `LinAlgError` if `a` is
        exactly singular, and warns with `LinAlgWarning` if there is no bound of an error.
        """
        require_general(assume_a, "solve")
        return self._solution(a, b, refine, check_finite, transposed, threads, rcond=True)

    def _solution(
        self,
        a: ArrayLike,
        b: ArrayLike,
        refine: bool,
        check_finite: bool,
        transposed: bool,
        threads: int | None,
        *,
        rcond: bool,
    ) -> Solution:
        a1, b1 = np.atleast_2d(validated(a, check_finite)), np.atleast_1d(validated(b, check_finite))
        require_square(a1)
        vector, dtype = b1.ndim == 1, common_type(a1, b1)
        b1 = b1[:, None] if vector else b1
        if b1.shape[-2] != a1.shape[-1]:
            raise ValueError(f"incompatible shapes: {a1.shape=} and {b1.shape=}")
        batch = np.broadcast_shapes(a1.shape[:-2], b1.shape[:-2])
        a1, b1 = (np.broadcast_to(x, batch + x.shape[-2:]).astype(dtype, copy=False) for x in (a1, b1))
        x, accuracy = np.empty(b1.shape, dtype), np.zeros((*batch, b1.shape[-1]), ACCURACY)
        info, rconds = np.zeros(batch, np.int64), np.ones(batch)
        for at in np.ndindex(batch) if b1.size else ():
            x[at], info[at], accuracy[at], rconds[at] = self._judged(
                a1[at], b1[at], transposed=transposed, refine=refine, rcond=rcond, threads=threads
            )
        require_regular(info)
        warn_of_unbounded(accuracy["forward"].max(-1, initial=0))
        return Solution(x[..., 0] if vector else x, *judgement(accuracy, vector), rconds[()])
