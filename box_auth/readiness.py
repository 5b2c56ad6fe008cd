"""Whether a sign-in could be stored now, for whatever watches the app: told in less than a second, also by a store that
hangs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong

from .errors import BoxAuthError
from .logs import own_logger

LONGEST = 0.7  # seconds that an answer takes: watchers wait for one second, unless they are told otherwise

_log = own_logger(__name__)


class Readiness:
    """Looks with ``check``, which raises `BoxAuthError`; ``away`` is the code for a look that takes too long. One look
    is under way at a time in a process, however many ask."""

    def __init__(self, check: Callable[[], None], away: str) -> None:
        self._check, self._away = check, away
        self._lock = threading.Lock()
        self._look: Future[str] = Future()
        self._began, self._pid = 0.0, 0

    def trouble(self) -> str:
        """Return the code of what keeps sign-ins from being stored, empty if nothing does."""
        with self._lock:
            if self._pid != os.getpid() or self._look.done():  # threads do not come along into a forked process
                self._look, self._began, self._pid = self._begin(), time.monotonic(), os.getpid()
            look, left = self._look, self._began + LONGEST - time.monotonic()
        try:
            return look.result(max(0.0, left))
        except TookTooLong:
            return self._away

    def _begin(self) -> Future[str]:
        look: Future[str] = Future()
        try:
            threading.Thread(target=self._run, args=(look,), name="box-ready", daemon=True).start()
        except RuntimeError:  # the process is about to end, or may have no more threads
            look.set_result("internal")
        return look

    def _run(self, look: Future[str]) -> None:
        try:
            self._check()
            look.set_result("")
        except BoxAuthError as error:
            look.set_result(error.code)
        except Exception:
            _log.exception("whether sign-ins can be stored was not found out")
            look.set_result("internal")
