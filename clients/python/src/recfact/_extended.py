"""The bytes of extended frames, as protocol.md describes them. Does no input or output."""

from __future__ import annotations

import struct

from ._backend import ROW_MAJOR
from ._errors import ServerError
from ._wire import F32

ZERO_BASED_PIVOTS = 0x400

# What a server answers that does not know a command, if it does not know extended frames either. It has ended.
UNKNOWN_COMMAND_V1 = -(2**63) + 1

# Status of an answer.
CANCELLED = -5
NOT_FINITE = -9

_HELLO, _MAP, _FACTOR = 0x10, 0x18, 0x20
_VERSION = 2
_INHERITED = 1
_MAGIC = b"RECFACT\0"
_CAN_FACTOR_AND_MAP = 0b11
_IN_SEGMENT = 2

_HEAD = struct.Struct("<Bq")
ANSWER_HEAD = struct.Struct("<qq")
_WELCOME = struct.Struct("<8sIQqI")
_MAP_REQUEST = struct.Struct("<IIiiq")
# The frame of FACTOR, with the three operands: A, L and U, ipiv.
_FACTOR_REQUEST = struct.Struct("<BqIIqqi4x" + "IIqq8x" * 3)
_FACTORED = struct.Struct("<qqqiI")

# The most frequent answer by far: to a FACTOR whose results are in a segment, with info = 0. What follows the `info`
# does not matter. `REGULAR` stands for all such answers, so that they need not be taken apart.
FACTORED_BYTES = _FACTORED.size
REGULAR_START = _FACTORED.pack(0, FACTORED_BYTES - ANSWER_HEAD.size, 0, -1, 0)[:24]
# Where the fields are in the frame of FACTOR that change.
CPU_AT = 33
_SEGMENTS_AT = (45, 77, 109)

# Writes the CPU into a frame, at `CPU_AT`.
put_cpu = struct.Struct("<i").pack_into
_put_segment = struct.Struct("<I").pack_into


# Status and payload of an answer.
Answer = tuple[int, bytes]

REGULAR: Answer = (0, REGULAR_START[ANSWER_HEAD.size :])


def accepted(answer: Answer) -> bytes:
    """Returns the payload of an answer. Raises ServerError if the request was refused."""
    status, payload = answer
    if status < 0:
        raise ServerError(f"the server refused the request: {payload.decode(errors='replace')}")
    return payload


def hello(version: str) -> bytes:
    """Returns a HELLO frame of this package in some version."""
    name = f"recfact for Python {version}".encode()
    return _HEAD.pack(_HELLO, 4 + len(name)) + _VERSION.to_bytes(4, "little") + name


def max_bytes(welcome: bytes) -> int | None:
    """Returns the limit of a server, from its answer to HELLO, or None if it cannot factor in segments."""
    if len(welcome) < _WELCOME.size or not welcome.startswith(_MAGIC):
        return None
    _, _, features, limit, _ = _WELCOME.unpack_from(welcome)
    return int(limit) if features & _CAN_FACTOR_AND_MAP == _CAN_FACTOR_AND_MAP else None


def map_inherited(segment: int, fd: int, size: int) -> bytes:
    """Returns a MAP frame for a descriptor that the server has inherited. `segment` is 0 for a new one."""
    return _HEAD.pack(_MAP, _MAP_REQUEST.size) + _MAP_REQUEST.pack(segment, _INHERITED, 0, fd, size)


def factor(
    shape: tuple[int, int], flags: int, single: bool, threads: int, segment: int, offsets: tuple[int, int, int]
) -> bytearray:
    """Returns a FACTOR frame for operands in a segment. The CPU is missing."""
    m, n = shape
    flags |= F32 if single else 0
    a_at, lu_at, ipiv_at = offsets
    a = _IN_SEGMENT, segment, a_at, n if flags & ROW_MAJOR else m
    lu = _IN_SEGMENT, segment, lu_at, m
    ipiv = _IN_SEGMENT, segment, ipiv_at, 0
    length = _FACTOR_REQUEST.size - _HEAD.size
    return bytearray(_FACTOR_REQUEST.pack(_FACTOR, length, flags, threads, m, n, -1, *a, *lu, *ipiv))


def put_segment(frame: bytearray, segment: int) -> None:
    """Writes another segment into a FACTOR frame."""
    for at in _SEGMENTS_AT:
        _put_segment(frame, at, segment)


def info(payload: bytes) -> int:
    """Returns the `info` of a successful answer to FACTOR."""
    return int.from_bytes(payload[:8], "little", signed=True)
