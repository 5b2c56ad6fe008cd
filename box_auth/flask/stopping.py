"""How `flask run` ends when it is told to: nobody new is let in, and what is under way is finished."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
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
    """Knows the threads that answer requests. Werkzeug's server has one for each connection, which ends with it; that
    it closes an answer is not to be counted on: it does not where a visitor goes away at a bad moment."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app, self._lock = app, threading.Lock()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            self._threads.add(threading.current_thread())
        return self._app(environ, start_response)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():  # which is the only one where the server has no threads
                thread.join(max(0.0, end - time.monotonic()))
