"""Memory that this process and a server both see: a memfd, mapped here.

It is sealed against shrinking, since a file that shrinks kills the processes that have mapped it. It is left out of
forked children. No array that lies in it is handed to users.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ._backend import Array
from ._descriptor import above_stderr

# Of the first mapping: enough for the matrices that are factored in microseconds.
MIN_BYTES = 1 << 18

_MAP_POPULATE = getattr(mmap, "MAP_POPULATE", 0x8000)
_MADV_REMOVE, _MADV_DONTFORK = 9, 10

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_ssize_t]
_libc.mmap.restype = ctypes.c_void_p
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

_MAP_FAILED = ctypes.c_void_p(-1).value


class Segment:
    """A memfd that grows. `size` is the number of bytes that are mapped, `backed` how many of them have memory.

    Raises:
        OSError: The system has no memfd_create or no seals.
    """

    def __init__(self) -> None:
        if not hasattr(os, "memfd_create"):
            raise OSError("memfd_create is not available")
        self.fd = fd = above_stderr(os.memfd_create("recfact", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
        self.close = weakref.finalize(self, os.close, fd)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        self.size = self.backed = 0
        self._memory: Any = None

    def reserve(self, size: int, max_size: int) -> bool:
        """Makes the first `size` bytes usable. Returns whether arrays made before are outdated.

        Raises:
            OSError: There is not enough memory, or `size` is larger than `max_size`.
        """
        if size <= self.backed:
            return False
        if size <= self.size:
            os.posix_fallocate(self.fd, 0, size)
            self.backed = size
            return False
        size = max(size, min(_rounded(size), max_size))
        if size > max_size:
            raise OSError(f"expected a segment of at most {max_size} bytes, got {size}")
        if size > os.fstat(self.fd).st_size:
            os.ftruncate(self.fd, size)
        # Too little memory is an error here, and would be a SIGBUS later.
        os.posix_fallocate(self.fd, 0, size)
        self._memory = _mapped(self.fd, size)
        self.size = self.backed = size
        return True

    def give_back(self, start: int) -> None:
        """Gives the memory from byte `start` on back to the system. It stays mapped; `reserve` it before it is used."""
        start = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
        if start < self.backed:
            _libc.madvise(ctypes.addressof(self._memory) + start, self.size - start, _MADV_REMOVE)
            self.backed = start

    def array(self, shape: tuple[int, ...], dtype: DTypeLike, offset: int) -> Array:
        """Returns an array that lies in the segment. It keeps the mapping alive, also when the segment has grown."""
        return np.ndarray(shape, dtype, self._memory, offset)


def _rounded(size: int) -> int:
    """Rounds up by at most a quarter, so that a segment that grows often is mapped a few times only."""
    step = max(MIN_BYTES, 1 << (size.bit_length() - 3))
    return -(-size // step) * step


def _mapped(fd: int, size: int) -> Any:
    """Maps a file. The mapping ends with the last array that lies in it.

    Python's own mmap would also unmap it in a forked child, where something else may have its address.
    """
    address = _libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | _MAP_POPULATE, fd, 0)
    if address == _MAP_FAILED:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    _libc.madvise(address, size, _MADV_DONTFORK)
    memory = (ctypes.c_char * size).from_address(address)
    weakref.finalize(memory, _unmap, address, size, os.getpid()).atexit = False
    return memory


def _unmap(address: int, size: int, owner: int) -> None:
    if os.getpid() == owner:
        _libc.munmap(address, size)
