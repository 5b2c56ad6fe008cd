"""One connection of the server: requests in, answers of the WSGI app out, until one side hangs up."""

from __future__ import annotations

import io
import logging
import sys
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from .body import BadBody, Body

if TYPE_CHECKING:
    import socket
    import threading
    from wsgiref.types import WSGIApplication

logger = logging.getLogger("box_emulator")

_MOST_DRAINED = 1 << 28  # bytes of an unread body, such as a refused upload, worth reading to keep the connection


class Dropped(OSError):
    """The app has cut the connection."""


class Web(Protocol):
    """What a connection needs to know of the server that it belongs to."""

    app: WSGIApplication | None
    host: str
    port: int
    stopping: threading.Event


class Connection(BaseHTTPRequestHandler):
    """Reads requests and runs the app. ``environ["box_emulator.drop"]()`` cuts the connection and does not return."""

    protocol_version = "HTTP/1.1"
    timeout = 75  # seconds that an idle connection is kept
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # head and body leave in one packet

    def __init__(self, connection: socket.socket, address: tuple[str, int], web: Web) -> None:
        self.web = web
        super().__init__(connection, address, cast(Any, web))  # there is no socketserver behind this

    def answer(self) -> None:
        try:
            body = Body.of(self.headers, self.rfile)
        except BadBody:
            self.send_error(400)
            self.close_connection = True
            return
        self._started = self._chunked = False
        self._head: tuple[str, list[tuple[str, str]]] | None = None
        try:
            self._run(body)
            if not body.drained(_MOST_DRAINED):
                self.close_connection = True
            self.wfile.flush()
        except (OSError, BadBody):
            self.close_connection = True
        except Exception:
            logger.exception("%s %s failed", self.command, self._path())
            self.close_connection = True
            if not self._started:
                self.send_error(500)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def _run(self, body: Body) -> None:
        assert self.web.app is not None  # noqa: S101 - set before start
        chunks = self.web.app(self._environ(body), self._start_response)
        try:
            for chunk in chunks:
                if chunk:
                    if not self._started:
                        self._send_head(whole=chunk if isinstance(chunks, list) and len(chunks) == 1 else None)
                    self._send(chunk)
            if not self._started:
                self._send_head(whole=b"")
            if self._chunked:
                self.wfile.write(b"0\r\n\r\n")
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and self._started:
            raise exc_info[1].with_traceback(exc_info[2])
        self._head = (status, headers)
        return self._send

    def _send_head(self, whole: bytes | None) -> None:
        assert self._head is not None, "The app sent a body before its head"  # noqa: S101
        status, headers = self._head
        code, _, phrase = status.partition(" ")
        self._started = True
        self._bodiless = self.command == "HEAD" or code in ("204", "304") or code.startswith("1")
        names = {name.lower() for name, _ in headers}
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        if not self._bodiless and "content-length" not in names:
            if whole is not None:
                self.send_header("Content-Length", str(len(whole)))
            elif self.request_version == "HTTP/1.1":
                self._chunked = True
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, chunk: bytes) -> None:
        if not self._started:
            self._send_head(whole=None)
        if self._bodiless:
            return
        self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)
        if self._chunked:
            self.wfile.flush()

    def _drop(self) -> None:
        """Send what was written so far, then cut."""
        self.wfile.flush()
        raise Dropped

    def _environ(self, body: Body) -> dict[str, Any]:
        target = urlsplit(self.path if not self.path.startswith("//") else "/" + self.path.lstrip("/"))
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(target.path, "latin-1"),
            "QUERY_STRING": target.query,
            "SERVER_NAME": self.web.host,
            "SERVER_PORT": str(self.web.port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BufferedReader(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "box_emulator.drop": self._drop,
            "box_emulator.stopping": self.web.stopping,
        }
        for name, value in self.headers.items():
            if "_" not in name:
                key = "HTTP_" + name.upper().replace("-", "_")
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ.pop("HTTP_CONTENT_TYPE", None)
        if length := environ.pop("HTTP_CONTENT_LENGTH", None):
            environ["CONTENT_LENGTH"] = length
        return environ

    def _path(self) -> str:
        return urlsplit(self.path).path

    def handle_expect_100(self) -> bool:
        """Tell a client that waits for it to send the body, at once."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def version_string(self) -> str:
        return "BoxEmulator"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log the path alone: a query string may hold a code."""
        logger.info("%s %s %s", self.command, self._path(), code)

    def log_error(self, format: str, *args: Any) -> None:
        logger.debug("A request could not be read, or took too long")
