"""Numbers of descriptors."""

from __future__ import annotations

import fcntl
import os


def above_stderr(fd: int) -> int:
    """Returns the descriptor, moved to a number above those of stdin, stdout and stderr if it has one of these.

    If the program has closed some of the descriptors 0 to 2, a new one gets such a number. Other code may print to it,
    and a child that inherits it would take it for its own stdin, stdout or stderr.
    """
    if fd > 2:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)
