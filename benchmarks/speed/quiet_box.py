"""A stand-in for Box that takes next to no time itself: one thread, one loop, answers that were made before.

    python -m benchmarks.speed.quiet_box CERTIFICATE

It prints its two ports, plain and TLS, as JSON. It plays Box for 64 users, whose login codes are ``code-0`` to
``code-63``, and has folders that are named for their size: ``/2.0/folders/1000/items`` has 1 000 items, ``0`` has 100.
What is below ``/_/`` is for the bench: see `_switch`.
"""

from __future__ import annotations

import heapq
import itertools
import json
import re
import select
import socket
import ssl
import sys
import time
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl

from benchmarks.speed.answers import SIZES, about, account, items, refusal
from benchmarks.speed.tokens import Tokens

FOLDER = re.compile(r"/2\.0/folders/(\d+)(/items)?")
HEADERS = re.compile(rb"\r\n(authorization: bearer|content-length:) *([^\r]+)", re.IGNORECASE)


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.tls = sock, isinstance(sock, ssl.SSLSocket)
        self.received, self.unsent = b"", b""
        self.shaking, self.writing = self.tls, False


class QuietBox:
    """Both ports, one loop. ``delay`` is in seconds, of each call."""

    def __init__(self, certificate: str) -> None:
        self.tokens, self.delay = Tokens(), 0.0
        self.calls: dict[str, int] = {}
        self.connections = 0
        self._loop = select.epoll()
        self._open: dict[int, Connection] = {}
        self._due: list[tuple[float, int, Connection, bytes]] = []
        self._order = itertools.count()
        self._date, self._date_until = b"", 0.0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._listeners: dict[int, tuple[socket.socket, ssl.SSLContext | None]] = {}
        self.ports: dict[str, int] = {}
        for name, tls in (("http", None), ("https", context)):
            listener = socket.create_server(("127.0.0.1", 0), backlog=512)
            listener.setblocking(False)
            self._listeners[listener.fileno()] = listener, tls
            self._loop.register(listener, select.EPOLLIN)
            self.ports[name] = listener.getsockname()[1]

    def run(self) -> None:
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            select.select([self._loop.fileno()], [], [], wait)  # epoll's own wait is rounded up to milliseconds
            for number, event in self._loop.poll(0):
                if number in self._listeners:
                    self._accept(*self._listeners[number])
                elif event & select.EPOLLOUT:
                    self._send(self._open[number], b"")
                else:
                    self._read(self._open[number])
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, connection, answer = heapq.heappop(self._due)
                self._send(connection, answer)

    def _accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        try:
            sock, _ = listener.accept()
        except BlockingIOError:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # an answer goes out at one go
        sock.setblocking(False)
        if tls:
            sock = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self.connections += 1
        self._open[sock.fileno()] = Connection(sock)
        self._loop.register(sock, select.EPOLLIN)

    def _close(self, connection: Connection) -> None:
        self._open.pop(connection.sock.fileno(), None)
        connection.sock.close()

    def _read(self, connection: Connection) -> None:
        try:
            if connection.shaking:
                connection.sock.do_handshake()  # type: ignore[attr-defined]
                connection.shaking = False
            while chunk := connection.sock.recv(65536):
                connection.received += chunk
                if len(chunk) < 16384 and not (connection.tls and connection.sock.pending()):  # type: ignore[attr-defined]
                    break
            else:
                self._close(connection)
                return
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            pass
        except OSError:
            self._close(connection)
            return
        self._answer_all(connection)

    def _answer_all(self, connection: Connection) -> None:
        while (end := connection.received.find(b"\r\n\r\n")) >= 0:
            head = connection.received[:end]
            found = {name[:1].lower(): value for name, value in HEADERS.findall(head)}
            length = int(found.get(b"c", 0))
            if len(connection.received) < end + 4 + length:
                return
            body = connection.received[end + 4 : end + 4 + length]
            connection.received = connection.received[end + 4 + length :]
            _, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            path, _, query = target.partition("?")
            if path.startswith("/_/"):
                self._send(connection, self._whole(200, self._switch(path[3:], dict(parse_qsl(query)))))
                continue
            self._count(path)
            answer = self._whole(*self._answer(path, query, found.get(b"a", b""), body))
            if self.delay:
                heapq.heappush(self._due, (time.monotonic() + self.delay, next(self._order), connection, answer))
            else:
                self._send(connection, answer)

    def _count(self, path: str) -> None:
        self.calls[path] = self.calls.get(path, 0) + 1

    def _answer(self, path: str, query: str, token: bytes, body: bytes) -> tuple[int, bytes]:
        if path.endswith("/oauth2/token"):
            return self.tokens.answer(dict(parse_qsl(body.decode())))
        if path.endswith("/oauth2/revoke"):
            return 200, b""
        user = self.tokens.user_of(token)
        if user is None:
            return 401, b""
        if path == "/2.0/users/me":
            return 200, account(user, query)
        found = FOLDER.fullmatch(path)
        if found and found[1] in SIZES:
            return items(found[1], query) if found[2] else about(found[1], query)
        return refusal(404, "not_found", "The quiet Box has no such thing")

    def _switch(self, name: str, values: dict[str, str]) -> bytes:
        """``set`` the delay and the life of tokens (seconds), ``end`` users' tokens, tell and reset the ``counts``."""
        if name == "set":
            self.delay = float(values.get("delay", self.delay))
            self.tokens.life = float(values.get("life", self.tokens.life))
        elif name == "end":
            self.tokens.end_access({int(user) for user in values["users"].split(",")})
        counts = {"calls": self.calls, "connections": self.connections}
        answer = json.dumps(counts).encode()
        if name == "counts":
            self.calls, self.connections = {}, 0
        return answer

    def _whole(self, status: int, body: bytes) -> bytes:
        now = time.monotonic()
        if now > self._date_until:
            self._date, self._date_until = formatdate(usegmt=True).encode(), now + 0.5
        refused = b'WWW-Authenticate: Bearer realm="Service", error="invalid_token"\r\n' if status == 401 else b""
        return (
            b"HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            b"Strict-Transport-Security: max-age=31536000\r\nCache-Control: no-cache, no-store\r\n"
            b"BOX-REQUEST-ID: 0a1b2c3d4e5f60718293a4b5c6d7e8f90\r\n%s\r\n"
            % (status, HTTPStatus(status).phrase.encode(), self._date, len(body), refused)
        ) + body

    def _send(self, connection: Connection, more: bytes) -> None:
        connection.unsent += more
        try:
            while connection.unsent:
                sent = connection.sock.send(connection.unsent)
                connection.unsent = connection.unsent[sent:]
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            pass
        except OSError:  # gone
            self._close(connection)
            return
        if connection.writing != bool(connection.unsent):
            connection.writing = not connection.writing
            self._loop.modify(connection.sock, select.EPOLLIN | (select.EPOLLOUT if connection.writing else 0))


def main() -> None:
    box = QuietBox(sys.argv[1])
    print(json.dumps(box.ports), flush=True)
    box.run()


if __name__ == "__main__":
    main()
