"""How `flask run` ends when it is told to: nobody new is let in, and what is under way is finished."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST = 60.0  # seconds that pages and uploads have; gunicorn.conf.py gives as many


@contextlib.contextmanager
def finishing(app: Flask) -> Iterator[None]:
    """Serve ``app`` within this: SIGTERM ends the serving, which closes the port, and then pages and uploads under way
    are waited for. To be told twice changes nothing. Refreshes of tokens are waited for by their threads."""
    app.wsgi_app = under_way = _UnderWay(app.wsgi_app)  # type: ignore[method-assign]
    told = threading.Event()

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        told.set()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if told.is_set():
            under_way.wait(LONGEST)


class _UnderWay:
    """Counts the requests that are being answered."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app, self._count, self._changed = app, 0, threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._add(1)
        try:
            return _Answer(self._app(environ, start_response), lambda: self._add(-1))
        except BaseException:
            self._add(-1)
            raise

    def wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._count, seconds)

    def _add(self, number: int) -> None:
        with self._changed:
            self._count += number
            self._changed.notify_all()


class _Answer:
    """An answer that calls ``ended`` once: when nothing more of it comes, when it is closed, or when nobody holds it
    any more. The last two alone will not do: Werkzeug's server fails before `close` where the browser has gone."""

    def __init__(self, answer: Iterable[bytes], ended: Callable[[], None]) -> None:
        self._answer, self._parts, self._ended = answer, iter(answer), ended

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except BaseException:
            self._end()
            raise

    def close(self) -> None:
        answer, self._answer = self._answer, ()
        try:
            getattr(answer, "close", lambda: None)()
        finally:
            self._end()

    __del__ = close

    def _end(self) -> None:
        ended, self._ended = self._ended, lambda: None
        ended()
