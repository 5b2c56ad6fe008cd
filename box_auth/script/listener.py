"""A port of this machine that waits for one answer from Box: the callback with the right state, and nothing else."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ..errors import BoxAuthError
from ..plain_page import plain_page, problem_page
from ..stores.record import TokenRecord

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Take = Callable[[Mapping[str, str]], TokenRecord]
_LAST_PAGE = 3.0  # seconds to let the last page reach the browser
_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),  # the address holds a login code
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
]


class Listener:
    """Listens from the beginning, answers from `serve` to `close`. Raises `OSError` if the port cannot be had.

    The callback at ``path`` goes to `serve`'s ``take``; any other path goes to ``pages`` if there is such an app.
    """

    def __init__(self, host: str, port: int, path: str = "/callback", pages: WSGIApplication | None = None) -> None:
        self.path = path
        self._pages = pages
        self._server = _Server(host, port)
        self.port: int = self._server.server_address[1]
        self._take: Take | None = None
        self._answering = 0
        self._quiet = threading.Condition()

    def serve(self, take: Take) -> None:
        """Begin to answer. ``take`` gets each callback's query; it returns the new record or raises what is wrong."""
        self._take = take
        self._server.set_app(self._app)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Free the port, once the answers under way are sent."""
        with self._quiet:
            self._quiet.wait_for(lambda: not self._answering, _LAST_PAGE)
        if self._take:
            self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != self.path:
            if self._pages:
                return self._pages(environ, start_response)
            return _page(start_response, "404 Not Found", "There is nothing here", "This port waits for Box's answer.")
        if environ["REQUEST_METHOD"] != "GET":
            return _page(start_response, "405 Method Not Allowed", "That is not how Box answers")
        with self._quiet:
            self._answering += 1
        return _Last(self._answer(environ["QUERY_STRING"], start_response), self._answered)

    def _answer(self, query: str, start_response: StartResponse) -> list[bytes]:
        assert self._take is not None  # noqa: S101 - serve sets it
        try:
            record = self._take(dict(parse_qsl(query)))
        except BoxAuthError as error:
            status = HTTPStatus(error.problem.status)
            return _send(start_response, f"{status} {status.phrase}", problem_page(error.problem, error.detail))
        name = record.name or record.login
        return _page(start_response, "200 OK", "You are signed in", f"As {name}. You can close this page.")

    def _answered(self) -> None:
        with self._quiet:
            self._answering -= 1
            self._quiet.notify_all()


def _page(start_response: StartResponse, status: str, title: str, *lines: str) -> list[bytes]:
    return _send(start_response, status, plain_page(title, *lines))


def _send(start_response: StartResponse, status: str, page: str) -> list[bytes]:
    start_response(status, list(_HEADERS))
    return [page.encode()]


class _Last(list[bytes]):
    """A body that tells when it was sent: WSGI servers call ``close`` then (PEP 3333)."""

    def __init__(self, body: list[bytes], sent: Callable[[], None]) -> None:
        super().__init__(body)
        self.close = sent


class _Server(ThreadingMixIn, WSGIServer):
    """The standard library's server, with a thread for each connection: a silent one keeps nobody waiting."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name == "posix"  # on Windows it would share the port with another program

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # without HTTPServer's look-up of the machine's name, which can take long
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # the other side went away


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds for a connection to say what it wants

    def log_message(self, format: str, *args: Any) -> None:
        pass  # its lines would hold login codes
