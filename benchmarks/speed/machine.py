"""Whether the machine was busy with something else while something was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import time
from collections.abc import Callable

from benchmarks.speed.processes import PROC, cpu_seconds

BUSY = 0.10  # of the processors' time: more than that used by others, and what was measured meanwhile is in doubt
_TICKS = os.sysconf("SC_CLK_TCK")
_COUNTED = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, and what other machines stole (proc(5))


def processors() -> set[int]:
    """Return the processors that this process, and so all of the bench, may use."""
    return os.sched_getaffinity(0)


def machine() -> str:
    """Return what figures of this run depend on, in a line."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("gunicorn", "flask", "boxsdk", "urllib3")]
    python = f"Python {platform.python_version()}"
    return f"{len(processors())} processors, {python}, {', '.join(versions)}; {time.strftime('%d %B %Y').lstrip('0')}."


class Watch:
    """Compares what the processors did with what the bench's own processes used, from when it is made."""

    def __init__(self, own: Callable[[], list[int]]) -> None:
        self._own = own
        self._began, self._busy, self._used = time.monotonic(), busy_seconds(), self._used_so_far()

    def others(self) -> float:
        """Return the share of the processors' time that others have used so far: 0 to 1."""
        passed = (time.monotonic() - self._began) * len(processors())
        used_by_others = busy_seconds() - self._busy - (self._used_so_far() - self._used)
        return max(0.0, used_by_others / passed) if passed else 0.0

    def _used_so_far(self) -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + ended.ru_utime + ended.ru_stime + cpu_seconds(self._own())


def busy_seconds() -> float:
    """Return how long the processors in question have been busy since the machine started."""
    names = {f"cpu{number}" for number in processors()}
    lines = [line.split() for line in (PROC / "stat").read_text().splitlines()]
    return sum(int(line[1:][field]) for line in lines if line[0] in names for field in _COUNTED) / _TICKS
