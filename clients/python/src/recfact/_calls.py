"""Calls of librecfact.so that are ready to be made.

A call needs the addresses of its arrays, which take longer to find than a small matrix takes to be factored. So small
matrices are copied to arrays whose addresses are known, and their results from there.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, NamedTuple

import numpy as np

from ._backend import Array

# Matrices of at most this size together are copied to memory of a plan, and their results from there: up to n = 90 that
# takes less time than to ask NumPy for the addresses of new arrays, 1.5 us each (AMD Zen 3 with AVX2, November 2026,
# numpy 2.4).
MAX_PLAN_BYTES = 1 << 16

# The number of different calls for which plans are kept. With that of `MAX_PLAN_BYTES` this bounds their memory: 8 MiB
# for each thread that calls at the same time.
_MAX_PLANS = 64


class Plan(NamedTuple):
    """A call that is ready to be made, and the arrays that its C arguments point to."""

    inputs: tuple[Array, ...]
    call: partial[int]
    results: tuple[Array, ...]


# Makes a plan for given arrays, of which the last may be a result as well.
Prepare = Callable[..., Plan]


class Plans:
    """The plans that no call uses at the moment.

    To take one and to put it back are atomic operations of a list, so no two threads use the same plan, and a fork
    finds whole plans in the child.
    """

    def __init__(self, check: Callable[[int], None]) -> None:
        self._check = check
        self._idle: dict[tuple[Any, ...], list[Plan]] = {}

    def run(self, prepare: Prepare, inputs: tuple[Array, ...], *options: Any) -> tuple[Array, ...]:
        """Has a call made with copies of small arrays, or with large ones themselves. Returns new arrays.

        Large arrays must be regular, and the last one is the caller's to be overwritten: see `regular` and `owned`.
        """
        key = (prepare, *[a.shape for a in inputs], inputs[0].dtype, *options)
        try:
            plans = self._idle[key]
            plan = plans.pop()
        except (KeyError, IndexError):
            if sum(a.nbytes for a in inputs) > MAX_PLAN_BYTES:
                plan = prepare(*owned(inputs), *options)
                self._check(plan.call())
                return plan.results
            plan = prepare(*[np.empty(a.shape, a.dtype) for a in inputs], *options)
            if len(self._idle) >= _MAX_PLANS:
                self._idle = {}
            plans = self._idle.setdefault(key, [])
        for place, a in zip(plan.inputs, inputs):
            place[...] = a
        self._check(plan.call())
        results = tuple(result.copy("K") for result in plan.results)
        plans.append(plan)
        return results


def owned(inputs: tuple[Array, ...]) -> list[Array]:
    """Returns the first array as one whose layout the library knows, and copies of the others."""
    return [regular(inputs[0]), *(np.array(a, order="C") for a in inputs[1:])]


def regular(a: Array) -> Array:
    """Returns the array itself, if its matrices are packed, by rows or by columns, else a copy by rows."""
    is_regular = a.flags.c_contiguous or a.swapaxes(-1, -2).flags.c_contiguous
    return a if is_regular and a.flags.aligned else np.array(a, order="C")
