"""The one answer that a sign-in from a script waits for, whether it comes to the local port or is pasted."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from urllib.parse import parse_qsl, urlsplit

from ..errors import BoxAuthError, SignInFailed
from ..flow import Flow
from ..pending import PendingLogin
from ..stores.record import TokenRecord
from .terminal import say

_NOT_OURS = ("state_missing", "state_unknown")


class Answer:
    """Takes Box's answer once; whatever has another state does not count."""

    def __init__(self, flow: Flow, pending: PendingLogin) -> None:
        self._flow, self._pending = flow, pending
        self._result: Future[TokenRecord] = Future()
        self._lock = threading.Lock()
        self._over = False

    def take(self, query: Mapping[str, str]) -> TokenRecord:
        """Finish the sign-in with a callback's query. What goes wrong is raised; it ends `wait` if this was for us."""
        with self._lock:
            if self._result.done():
                raise SignInFailed("state_used")
            if self._over:
                raise SignInFailed("state_expired")
            try:
                record = self._flow.finish(query, self._pending)
            except Exception as error:
                if not (isinstance(error, SignInFailed) and error.code in _NOT_OURS):
                    self._result.set_exception(error)
                raise
            self._result.set_result(record)
            return record

    def wait(self, seconds: float) -> TokenRecord:
        """Return the new record, or raise what went wrong; `SignInFailed` also if nothing came in time."""
        deadline = time.monotonic() + seconds
        try:
            while not self._result.done() and time.monotonic() < deadline:
                try:  # in steps, because Windows does not let Ctrl-C end a longer wait
                    self._result.exception(timeout=min(max(0.0, deadline - time.monotonic()), 0.5))
                except TookTooLong:
                    pass
            with self._lock:  # an answer that came in time may be under way still
                if not self._result.done():
                    raise SignInFailed("sign_in_timeout", f"The limit was {format_duration(seconds)}.")
            return self._result.result()
        finally:
            self._over = True

    def read_pasted(self) -> None:
        """Take addresses that are pasted into the terminal, until there is an answer."""
        try:
            for line in _lines(sys.stdin.fileno(), self):
                if line:
                    self._paste(line)
        except (OSError, ValueError, AttributeError):  # nothing to read from: a notebook, a service
            pass

    @property
    def done(self) -> bool:
        return self._over or self._result.done()

    def _paste(self, line: str) -> None:
        try:
            query = dict(parse_qsl(urlsplit(line.strip("'\"<>")).query))
        except ValueError:  # such as an unclosed bracket
            query = {}
        try:
            if not {"code", "error"} & query.keys():  # such as the address that we printed, which has our state
                raise SignInFailed("paste_unclear")
            self.take(query)
        except BoxAuthError as error:
            if not self.done:  # otherwise whoever waits tells of it
                say(f"{error.problem.title}. {error.problem.todo} [{error.code}]")


def format_duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:g} seconds"


def _lines(descriptor: int, answer: Answer) -> Iterator[str]:
    """Read lines without Python's own buffer, whose lock would hang a process that ends meanwhile."""
    rest = b""
    while not answer.done:
        if os.name == "posix" and not select.select([descriptor], [], [], 0.2)[0]:
            continue
        chunk = os.read(descriptor, 65536)
        *lines, rest = (rest + (chunk or b"\n")).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace").strip()
        if not chunk:
            return
