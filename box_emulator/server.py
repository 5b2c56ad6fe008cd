"""A small threaded HTTP/1.1 server for one WSGI app. Connections are kept alive, and the app can cut them off."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

logger = logging.getLogger("box_emulator")

_BACKLOG = 256
_PATIENCE = 2.0  # seconds that `stop` waits for answers under way


class WebServer:
    """Serves ``app`` at ``host`` and ``port`` (0: any free one) from `start` to `stop`, a thread per connection.

    The socket listens from the beginning, so ``port`` is known, and clients wait, before `start`. Raises `OSError`
    if the port is taken, and `ValueError` if there is no such port.
    """

    def __init__(self, app: WSGIApplication | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        if not 0 <= port <= 65535:  # create_server would leave a socket open
            raise ValueError("a port is a number from 0 to 65535")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.app = app
        self.host = host
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        self.stopping = threading.Event()
        self._idle = threading.Condition()
        self._open: set[socket.socket] = set()
        self._accepting: threading.Thread | None = None

    def start(self) -> None:
        """Begin to answer; in a forked child, begin there too."""
        self._idle, self._open = threading.Condition(), set()
        self._accepting = threading.Thread(target=self._accept, name=f"box-emulator-{self.port}", daemon=True)
        self._accepting.start()

    def stop(self) -> None:
        """Close the port and all connections."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        if self._accepting and self._accepting.is_alive():
            try:
                socket.create_connection(self._socket.getsockname()[:2], timeout=1).close()  # wakes accept()
            except OSError:
                pass
            self._accepting.join(_PATIENCE)
        self._socket.close()
        with self._idle:
            for connection in self._open:
                hang_up(connection)
            self._idle.wait_for(lambda: not self._open, _PATIENCE)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, address = self._socket.accept()
            except OSError:
                return
            if self.stopping.is_set():
                connection.close()
                return
            with self._idle:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection, address), daemon=True).start()

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            Connection(connection, address, self)
        except OSError:  # the client went away
            pass
        except Exception:
            logger.exception("A connection broke off")
        finally:
            hang_up(connection)
            connection.close()
            with self._idle:
                self._open.discard(connection)
                self._idle.notify_all()


def hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # gone already
        pass
