"""Processes that end with the bench, however that ends, and what Linux tells of them. It imports next to nothing, as
each worker imports it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have Linux end this process as soon as the thread that started it is gone (prctl(2)); exec keeps that."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it was quicker
        os._exit(1)


def children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in (PROC / f"{process}/task/{process}/children").read_text().split()]
    return []


def cpu_seconds(processes: list[int]) -> float:
    """Return what processes have used so far, with all their threads, those that have ended too."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(OSError):
            total += time.clock_gettime((~process << 3) | 2)  # clock_getcpuclockid(3): as exact as the scheduler is
    return total


def memory_mb(process: int) -> float:
    """Return what a process has in memory (VmRSS)."""
    text = (PROC / f"{process}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) / 1024
