"""The bytes of extended frames, as protocol.md describes them. Does no input or output."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ._errors import ServerError
from ._wire import F32 as F32

ZERO_BASED_PIVOTS = 0x400

BATCH_FACTOR, BATCH_SOLVE, BATCH_GESV, BATCH_INVERSE, BATCH_DET = 0x40, 0x41, 0x42, 0x43, 0x44
KEEP, SOLVE, CONDITION, DETERMINANT, INVERSE = 0x30, 0x31, 0x32, 0x33, 0x34
FILES_FACTOR, FILES_SOLVE = 0x50, 0x51

# Flags of systems.
KEEP_FACTORS, KEEP_A, BOUNDS = 0x4000, 0x8000, 0x10000

# A server that has none of the first two is not used through mapped memory.
CAN_FACTOR_AND_MAP, CAN_BATCH, CAN_KEEP = 0b0011, 0b0100, 0b1000

# What a server answers that does not know a command, if it does not know extended frames either. It has ended.
UNKNOWN_COMMAND_V1 = -(2**63) + 1

# Status of an answer.
CANCELLED = -5
NOT_FINITE = -9
_NO_ROOM = -12
UNUSABLE_FILE = -15

_HELLO, _MAP, _FACTOR, _RELEASE = 0x10, 0x18, 0x20, 0x35
_VERSION = 2
_INHERITED = 1
_MAGIC = b"RECFACT\0"
_IN_SEGMENT = 2

_HEAD = struct.Struct("<Bq")
ANSWER_HEAD = struct.Struct("<qq")
_WELCOME = struct.Struct("<8sIQqI")
_MAP_REQUEST = struct.Struct("<IIiiq")
# The frames of FACTOR, of systems and of batches before their operands.
_FACTOR_HEAD = struct.Struct("<BqIIqqi4x")
_SYSTEM_HEAD = struct.Struct("<BqIIqqiII4x")
_BATCH_HEAD = struct.Struct("<BqIIqqqqi4x")
_OPERAND = struct.Struct("<IIqqq")
_SYSTEM_OPERANDS = ("a", "b", "x", "accuracy")
_BATCH_OPERANDS = ("a", "lu", "ipiv", "b", "x", "info", "rcond", "det")
_FACTORED = struct.Struct("<qqqiI")
_SYSTEM_ANSWER = struct.Struct("<q8xI4xddq")
_FILES_HEAD = struct.Struct("<Bq9I")
_FILES_ANSWER = struct.Struct("<q3Q5I4x5d")

# The most frequent answer by far: to a FACTOR or a batch whose results are in a segment, with info = 0. What follows
# the `info` does not matter. `REGULAR` stands for all such answers, so that they need not be taken apart.
FACTORED_BYTES = _FACTORED.size
REGULAR_START = _FACTORED.pack(0, FACTORED_BYTES - ANSWER_HEAD.size, 0, -1, 0)[:24]

# Writes the CPU into a frame, at `Frame.cpu_at`.
put_cpu = struct.Struct("<i").pack_into
_put_segment = struct.Struct("<I").pack_into
# Writes a handle into the frame of a system. It follows the CPU.
put_handle = struct.Struct("<I").pack_into


class Frame(NamedTuple):
    """A request for operands in a segment. The CPU and the segment are missing; `cpu_at` is where the CPU goes."""

    data: bytearray
    cpu_at: int
    segments_at: tuple[int, ...]

    def put_segment(self, segment: int) -> None:
        """Writes the number of the segment into each operand."""
        for at in self.segments_at:
            _put_segment(self.data, at, segment)


class SystemAnswer(NamedTuple):
    """The numbers in the answer to a system. A `handle` of 0 means that nothing is kept."""

    info: int
    handle: int
    rcond: float
    mantissa: float
    exponent: int


class FilesAnswer(NamedTuple):
    """The numbers in the answer to a job with files. `bits` is the size of an element."""

    info: int
    m: int
    n: int
    nrhs: int
    bits: int
    grid_rows: int
    grid_columns: int
    block: int
    steps: int
    seconds: float
    factor_seconds: float
    gflops: float
    rcond: float
    backward_error: float


# Status and payload of an answer.
Answer = tuple[int, bytes]

REGULAR: Answer = (0, REGULAR_START[ANSWER_HEAD.size :])


def accepted(answer: Answer) -> bytes:
    """Returns the payload of an answer. Raises ServerError if the request was refused."""
    status, payload = answer
    if status < 0:
        advice = "; `Factorization.close` makes room, and `Server(keep_bytes=..)` more" if status == _NO_ROOM else ""
        raise ServerError(f"the server refused the request: {payload.decode(errors='replace')}{advice}")
    return payload


def hello(version: str) -> bytes:
    """Returns a HELLO frame of this package in some version."""
    name = f"recfact for Python {version}".encode()
    return _HEAD.pack(_HELLO, 4 + len(name)) + _VERSION.to_bytes(4, "little") + name


def welcome(payload: bytes) -> tuple[int, int] | None:
    """Returns the features of a server and its limit, from its answer to HELLO, or None if that is none."""
    if len(payload) < _WELCOME.size or not payload.startswith(_MAGIC):
        return None
    _, _, features, limit, _ = _WELCOME.unpack_from(payload)
    return int(features), int(limit)


def map_inherited(segment: int, fd: int, size: int) -> bytes:
    """Returns a MAP frame for a descriptor that the server has inherited. `segment` is 0 for a new one."""
    return _HEAD.pack(_MAP, _MAP_REQUEST.size) + _MAP_REQUEST.pack(segment, _INHERITED, 0, fd, size)


def factor(shape: tuple[int, int], flags: int, threaded: bool, places: tuple[int, int, int, int, int]) -> Frame:
    """Returns a FACTOR frame. `places` has offset and leading dimension of A, those of L and U, the offset of ipiv."""
    a_at, lda, lu_at, ld, ipiv_at = places
    length = _FACTOR_HEAD.size - _HEAD.size + 3 * _OPERAND.size
    head = _FACTOR_HEAD.pack(_FACTOR, length, flags, 0 if threaded else 1, *shape, -1)
    return _framed(head, _FACTOR_HEAD.size - 8, [(a_at, lda, 0), (lu_at, ld, 0), (ipiv_at, 0, 0)])


def system(
    command: int, n: int, nrhs: int, steps: int, flags: int, threaded: bool, places: dict[str, tuple[int, int, int]]
) -> Frame:
    """Returns the frame of a system without a handle, with up to `steps` steps of refinement.

    `places` has offset, leading dimension and 0 of each operand that is there.
    """
    length = _SYSTEM_HEAD.size - _HEAD.size + len(_SYSTEM_OPERANDS) * _OPERAND.size
    head = _SYSTEM_HEAD.pack(command, length, flags, 0 if threaded else 1, n, nrhs, -1, 0, steps)
    return _framed(head, _SYSTEM_HEAD.size - 16, [places.get(name) for name in _SYSTEM_OPERANDS])


def release(handle: int) -> bytes:
    """Returns a RELEASE frame."""
    return _HEAD.pack(_RELEASE, 4) + handle.to_bytes(4, "little")


def system_answer(payload: bytes) -> SystemAnswer:
    """Returns the numbers of a successful answer to a system."""
    return SystemAnswer(*_SYSTEM_ANSWER.unpack_from(payload))


def files(
    names: tuple[bytes, bytes, bytes, bytes],
    flags: int = 0,
    grid: tuple[int, int] = (0, 0),
    block: int = 0,
    steps: int = 0,
) -> bytes:
    """Returns the frame of a job with the files A, B, the result and the factors of A.

    Without a name of B, A is factored. Without one of factors it is, too.
    """
    command = FILES_SOLVE if names[1] else FILES_FACTOR
    text = b"".join(names)
    length = _FILES_HEAD.size - _HEAD.size + len(text)
    return _FILES_HEAD.pack(command, length, flags, *grid, block, *map(len, names), steps) + text


def files_answer(payload: bytes) -> FilesAnswer:
    """Returns the numbers of a successful answer to a job with files."""
    return FilesAnswer(*_FILES_ANSWER.unpack_from(payload))


def batch(
    command: int,
    sizes: tuple[int, int, int, int],
    flags: int,
    threaded: bool,
    places: dict[str, tuple[int, int, int]],
) -> Frame:
    """Returns the frame of a batch with sizes count, m, n and nrhs.

    `places` has offset, leading dimension and distance of each operand that is there.
    """
    length = _BATCH_HEAD.size - _HEAD.size + len(_BATCH_OPERANDS) * _OPERAND.size
    head = _BATCH_HEAD.pack(command, length, flags, 0 if threaded else 1, *sizes, -1)
    return _framed(head, _BATCH_HEAD.size - 8, [places.get(name) for name in _BATCH_OPERANDS])


def _framed(head: bytes, cpu_at: int, places: list[tuple[int, int, int] | None]) -> Frame:
    """Returns a frame with operands in a segment, or none."""
    operands = (bytes(_OPERAND.size) if place is None else _OPERAND.pack(_IN_SEGMENT, 0, *place) for place in places)
    segments_at = (len(head) + i * _OPERAND.size + 4 for i, place in enumerate(places) if place is not None)
    return Frame(bytearray(head + b"".join(operands)), cpu_at, tuple(segments_at))


def info(payload: bytes) -> int:
    """Returns the `info` of a successful answer to FACTOR."""
    return int.from_bytes(payload[:8], "little", signed=True)
