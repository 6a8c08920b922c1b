"""Requests to a server in memory that both sides see.

A plan is a request that is ready to be made: arrays that lie in the segment, and a frame that names their places.
"""

from __future__ import annotations

import ctypes
from typing import Any

from . import _extended, _segment
from ._backend import Array
from ._errors import ServerError
from ._extended import put_cpu
from ._process import Process, starting
from ._requests import Layout, Operand, Request, by_columns

# The number of plans that are kept. They have no memory of their own.
_MAX_PLANS = 64

# After this number of requests memory that none of them has used is given back, if it is more than three quarters.
_REQUESTS_BETWEEN_LOOKS = 4096

# The segments of a session may have twice the limit of the server and this number of bytes.
_EXTRA_BYTES = 1 << 20

# Stacks go in pieces of about this size, which stay in the caches of both sides; with more than one thread of larger
# ones, in which there is work for all. With one thread pieces of 64 KiB to 64 MiB take about the same time (Intel Xeon
# with AVX-512, family 6, model 167, November 2026): the limit keeps the segment small.
_PIECE_BYTES, _THREADED_PIECE_BYTES = 1 << 20, 1 << 23

# A request has at most this many times the bytes of its matrices.
_MAX_OPERANDS = 5

_getcpu = getattr(ctypes.PyDLL(None), "sched_getcpu", lambda: -1)


class PipeError(Exception):
    """The server cannot be used through mapped memory. The message is the reason, as `Server.transport` says it."""


class Plan:
    """A request for arrays of some shapes, type and order."""

    __slots__ = ("cpu_at", "data", "end", "frame", "inputs", "results", "used")

    def __init__(self, layout: Layout, inputs: tuple[Array, ...], results: tuple[Array, ...]) -> None:
        self.frame, self.inputs, self.results = layout.frame, inputs, results
        self.data, self.cpu_at = layout.frame.data, layout.frame.cpu_at
        # The place where its last operand ends in the segment.
        self.end = layout.end
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
        self._max_bytes = self._number = self._features = 0
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._requests = 0

    @property
    def can_batch(self) -> bool:
        """Whether the server knows batches."""
        return bool(self._features & _extended.CAN_BATCH)

    @property
    def can_keep(self) -> bool:
        """Whether the server knows systems, and keeps factors."""
        return bool(self._features & _extended.CAN_KEEP)

    def piece(self, a: Array, threads: int | None) -> int:
        """Returns how many matrices of a stack are to go in one request."""
        preferred = _THREADED_PIECE_BYTES if is_threaded(threads, self._threads) else _PIECE_BYTES
        *_, m, n = a.shape
        return int(max(1, min(preferred, self._max_bytes // _MAX_OPERANDS) // (m * n * a.itemsize)))

    def plan(self, request: Request, inputs: tuple[Array, ...], flags: int, threads: int | None) -> Plan | None:
        """Returns the plan for arrays like these, or None if there is not enough memory for it."""
        a, threaded = inputs[0], is_threaded(threads, self._threads)
        key = request, by_columns(a), a.dtype, flags, threaded, *[x.shape for x in inputs]
        plan = self._plans.get(key) or self._new_plan(key, request(*inputs, flags, threaded), a)
        if plan is not None:
            plan.used = True
            self._requests += 1
            if self._requests >= _REQUESTS_BETWEEN_LOOKS:
                self._give_back()
        return plan

    def _new_plan(self, key: tuple[Any, ...], layout: Layout, a: Array) -> Plan | None:
        *_, m, n = a.shape
        size = m * n * a.itemsize
        if size > self._max_bytes:
            raise ServerError(
                f"the server refuses a matrix that is larger than its limit: expected at most {self._max_bytes} bytes, "
                f"got {m} x {n} of {size} bytes; `max_bytes` sets the limit"
            )
        if layout.nbytes > self._max_bytes:
            return None
        try:
            with starting:
                if self.segment.reserve(layout.end, 2 * self._max_bytes + _EXTRA_BYTES):
                    self._plans.clear()
        except OSError:
            return None
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        layout.frame.put_segment(self._number)
        inputs, results = (tuple(map(self._array, operands)) for operands in (layout.inputs, layout.results))
        plan = self._plans[key] = Plan(layout, inputs, results)
        return plan

    def _array(self, operand: Operand) -> Array:
        """Returns the memory of an operand."""
        if not operand.by_columns:
            return self.segment.array(operand.shape, operand.dtype, operand.offset)
        *batch, m, n = operand.shape
        return self.segment.array((*batch, n, m), operand.dtype, operand.offset).swapaxes(-1, -2)

    def _give_back(self) -> None:
        """Gives memory back if the last requests have used less than a quarter of it."""
        needed = max(_segment.MIN_BYTES, *(plan.end for plan in self._plans.values() if plan.used))
        if needed <= self.segment.backed // 4:
            self.segment.give_back(needed)
            self._plans = {key: plan for key, plan in self._plans.items() if plan.end <= needed}
        for plan in self._plans.values():
            plan.used = False
        self._requests = 0

    def ask(self, process: Process, deadline: float | None, plan: Plan, inputs: tuple[Array, ...]) -> _extended.Answer:
        """Has a request computed: then the results are in the arrays of the plan. Returns the answer."""
        if process.mapped != self.segment.size:
            self.join(process, deadline)
        for place, a in zip(plan.inputs, inputs):
            place[...] = a
        put_cpu(plan.data, plan.cpu_at, _getcpu())
        return process.exchange(plan.data, deadline)

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
            self._features, self._max_bytes = self._welcomed(process)
        status, payload = process.receive_answer()
        if status < 0:
            raise PipeError(f"the server cannot map memory: {payload.decode(errors='replace')}")
        number = int.from_bytes(payload, "little")
        if number != self._number:
            for plan in self._plans.values():
                plan.frame.put_segment(number)
        self._number = number
        process.mapped = self.segment.size
        self.joined = True

    def _welcomed(self, process: Process) -> tuple[int, int]:
        status, payload = process.receive_answer()
        if status == _extended.UNKNOWN_COMMAND_V1:
            raise PipeError("the server knows version 1 only")
        welcome = _extended.welcome(payload) if status == 0 else None
        if welcome is None or welcome[0] & _extended.CAN_FACTOR_AND_MAP != _extended.CAN_FACTOR_AND_MAP:
            raise PipeError("the server does not map memory")
        return welcome

    def close(self) -> None:
        """Closes the descriptor. The memory is free when the server has ended and the plans are gone."""
        self._plans.clear()
        self.segment.close()


def is_threaded(threads: int | None, server_threads: int) -> bool:
    """Returns whether a call may use all threads of its server. One that asks for fewer gets one thread."""
    return threads is None or threads >= server_threads > 1
