"""The bytes of requests and responses, as protocol.md describes them. Does no input or output."""

from __future__ import annotations

import struct

import numpy as np

from ._backend import Array, Integers

F32, THREADED, NO_PIVOTING = 0x01, 0x02, 0x04

# An `info` below this is a refusal, and nothing follows it.
REFUSED_BELOW = -(2**62)

# The `info` of a request that was cancelled. The session goes on.
_CANCELLED = -(2**63) + 5

_REFUSALS = {1: "unknown command", 2: "bad shape", 3: "larger than its limit", 4: "out of memory"}

_HEADER = struct.Struct("<Bqq")
_INFO = struct.Struct("<q")


class Request:
    """The bytes of one matrix that is sent to the server, and memory for the answer, which replaces the matrix."""

    def __init__(self, a: Array, ipiv: Integers, *, pivot: bool, threaded: bool) -> None:
        single = F32 if a.dtype == np.float32 else 0
        command = single | (THREADED if threaded else 0) | (0 if pivot else NO_PIVOTING)
        self._info = bytearray(_INFO.size)
        matrix = a.T.data.cast("B")
        self.parts = [memoryview(_HEADER.pack(command, *a.shape)), matrix]
        self.answer = [memoryview(self._info), matrix, ipiv.data.cast("B")]

    @property
    def info(self) -> int:
        """The `info` of the answer. It is valid once the first part of the answer has been read."""
        return int(_INFO.unpack(self._info)[0])

    @property
    def is_cancelled(self) -> bool:
        """Whether the request was cancelled."""
        return self.info == _CANCELLED

    @property
    def refusal(self) -> str | None:
        """The reason why the request was refused, or None if it was not."""
        if self.info >= REFUSED_BELOW:
            return None
        code = self.info + 2**63
        return _REFUSALS.get(code, f"code {code}")


def advance(buffers: list[memoryview], count: int) -> None:
    """Removes the first `count` bytes from a list of buffers."""
    while buffers and count >= len(buffers[0]):
        count -= len(buffers.pop(0))
    if count:
        buffers[0] = buffers[0][count:]


def total_size(buffers: list[memoryview]) -> int:
    """Returns the number of bytes in a list of buffers."""
    return sum(map(len, buffers))
