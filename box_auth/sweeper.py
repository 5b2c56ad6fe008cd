"""Clears away what has expired, now and then, while nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Sweeper:
    """Calls ``clear`` on a thread of its own, at most once in ``pause`` seconds a process."""

    def __init__(self, clear: Callable[[], None], pause: float) -> None:
        self._clear, self._pause = clear, pause
        self._next = 0.0  # by the monotonic clock
        self._lock = threading.Lock()

    def start_if_due(self) -> threading.Thread | None:
        """Begin to clear if it is time; return at once, with the thread that does it."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return None
            self._next = now + self._pause
        thread = threading.Thread(target=self._run, name="box-sweeper", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the process is about to end
            return None
        return thread

    def _run(self) -> None:
        try:
            self._clear()
        except OSError:  # the folder is not there or may not be read; whoever needs it will say so
            pass
