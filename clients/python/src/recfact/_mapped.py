"""Factorizations by a server in memory that both sides see.

A plan is a request that is ready to be made: arrays that lie in the segment, and a frame that names their places.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from . import _extended, _segment
from ._backend import CHECK_FINITE, NO_PIVOTING, ROW_MAJOR, Array
from ._errors import ServerError
from ._extended import CPU_AT, put_cpu
from ._process import Process, starting

# The number of plans that are kept. They have no memory of their own.
_MAX_PLANS = 64

# After this number of requests memory that none of them has used is given back, if it is more than three quarters.
_REQUESTS_BETWEEN_LOOKS = 4096

# The segments of a session may have twice the limit of the server and this number of bytes.
_EXTRA_BYTES = 1 << 20

# Operands begin at cache lines.
_ALIGNMENT = 64

_getcpu = getattr(ctypes.PyDLL(None), "sched_getcpu", lambda: -1)


class PipeError(Exception):
    """The server cannot be used through mapped memory. The message is the reason, as `Server.transport` says it."""


class Plan:
    """A request for matrices of one shape, type and order."""

    __slots__ = ("end", "frame", "lu", "piv", "source", "used")

    def __init__(self, source: Array, lu: Array, piv: Array, frame: bytearray, end: int) -> None:
        self.source, self.lu, self.piv, self.frame = source, lu, piv, frame
        # The place where its last operand ends in the segment.
        self.end = end
        self.used = True


class Mapped:
    """The segment of one connection, and the plans for it. Only one thread may use it at a time.

    Raises:
        OSError: The system has no memory that can be shared safely.
    """

    def __init__(self, hello: bytes, threads: int) -> None:
        self.segment = _segment.Segment()
        self._hello = hello
        self._threads = threads
        # Whether a server has mapped the segment. Then these are its limit, and its number for the segment.
        self.joined = False
        self._max_bytes = self._number = 0
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._requests = 0

    def plan(self, a: Array, flags: int, threads: int | None) -> Plan | None:
        """Returns the plan for a matrix like this one, or None if there is not enough memory for it."""
        key = a.shape, a.dtype, a.flags.f_contiguous, flags, threads
        plan = self._plans.get(key) or self._new_plan(key, a, flags, threads)
        if plan is not None:
            plan.used = True
            self._requests += 1
            if self._requests >= _REQUESTS_BETWEEN_LOOKS:
                self._give_back()
        return plan

    def _new_plan(self, key: tuple[Any, ...], a: Array, flags: int, threads: int | None) -> Plan | None:
        m, n = shape = a.shape
        if a.nbytes > self._max_bytes:
            raise ServerError(
                f"the server refuses a matrix that is larger than its limit: expected at most {self._max_bytes} bytes, "
                f"got {m} x {n} of {a.nbytes} bytes; `max_bytes` sets the limit"
            )
        order = "F" if a.flags.f_contiguous else "C"
        if order == "C":
            flags |= ROW_MAJOR
        ipiv_type = np.dtype(np.int32 if flags & _extended.ZERO_BASED_PIVOTS else np.int64)
        # By columns the matrix is factored in its place; by rows its factors have a place of their own.
        lu_at = _aligned(a.nbytes) if order == "C" else 0
        ipiv_at = _aligned(lu_at + a.nbytes)
        end = ipiv_at + min(shape) * ipiv_type.itemsize
        try:
            with starting:
                if self.segment.reserve(end, 2 * self._max_bytes + _EXTRA_BYTES):
                    self._plans.clear()
        except OSError:
            return None
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        single, wire_threads = a.dtype == np.float32, 0 if is_threaded(threads, self._threads) else 1
        frame = _extended.factor((m, n), flags, single, wire_threads, self._number, (0, lu_at, ipiv_at))
        array = self.segment.array
        plan = self._plans[key] = Plan(
            array(shape, a.dtype, 0, order),
            array(shape, a.dtype, lu_at, "F"),
            array((min(shape),), ipiv_type, ipiv_at, "C"),
            frame,
            end,
        )
        return plan

    def _give_back(self) -> None:
        """Gives memory back if the last requests have used less than a quarter of it."""
        needed = max(_segment.MIN_BYTES, *(plan.end for plan in self._plans.values() if plan.used))
        if needed <= self.segment.backed // 4:
            self.segment.give_back(needed)
            self._plans = {key: plan for key, plan in self._plans.items() if plan.end <= needed}
        for plan in self._plans.values():
            plan.used = False
        self._requests = 0

    def ask(self, process: Process, deadline: float | None, plan: Plan, a: Array) -> _extended.Answer:
        """Has a matrix factored: then L, U and the swaps are in the arrays of the plan. Returns the answer."""
        if process.mapped != self.segment.size:
            self.join(process, deadline)
        plan.source[...] = a
        put_cpu(plan.frame, CPU_AT, _getcpu())
        return process.exchange(plan.frame, deadline)

    def join(self, process: Process, deadline: float | None) -> None:
        """Has the server map the segment, after a HELLO if this is the first request to this process.

        Raises:
            PipeError: The server is one that does not, or cannot.
        """
        try:
            with starting:
                self.segment.reserve(_segment.MIN_BYTES, _segment.MIN_BYTES)
        except OSError as error:
            raise PipeError(f"there is no memory for a segment ({error})") from None
        first = process.mapped == 0
        request = _extended.map_inherited(0 if first else self._number, self.segment.fd, self.segment.size)
        process.send(self._hello + request if first else request, deadline)
        if first:
            if (limit := self._welcomed(process)) is None:
                raise PipeError("the server does not map memory")
            self._max_bytes = limit
        status, payload = process.receive_answer()
        if status < 0:
            raise PipeError(f"the server cannot map memory: {payload.decode(errors='replace')}")
        number = int.from_bytes(payload, "little")
        if number != self._number:
            for plan in self._plans.values():
                _extended.put_segment(plan.frame, number)
        self._number = number
        process.mapped = self.segment.size
        self.joined = True

    def _welcomed(self, process: Process) -> int | None:
        status, payload = process.receive_answer()
        if status == _extended.UNKNOWN_COMMAND_V1:
            raise PipeError("the server knows version 1 only")
        return _extended.max_bytes(payload) if status == 0 else None

    def close(self) -> None:
        """Closes the descriptor. The memory is free when the server has ended and the plans are gone."""
        self._plans.clear()
        self.segment.close()


def is_threaded(threads: int | None, server_threads: int) -> bool:
    """Returns whether a call may use all threads of its server. One that asks for fewer gets one thread."""
    return threads is None or threads >= server_threads > 1


def flags_of(pivot: bool, check_finite: bool) -> int:
    """Returns the flags of a request for `lu_factor`."""
    flags = _extended.ZERO_BASED_PIVOTS if pivot else _extended.ZERO_BASED_PIVOTS | NO_PIVOTING
    return flags | CHECK_FINITE if check_finite else flags


USUAL_FLAGS = flags_of(pivot=True, check_finite=True)


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT
