"""What another process does with signals."""

from __future__ import annotations

import signal


def catches_sigusr1(pid: int) -> bool:
    """Returns whether a process has a handler for SIGUSR1, which would end it otherwise."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            caught = next((line.split()[1] for line in status if line.startswith(b"SigCgt:")), b"0")
    except OSError:
        return False
    return bool(int(caught, 16) >> (signal.SIGUSR1 - 1) & 1)
