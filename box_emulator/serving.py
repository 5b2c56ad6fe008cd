"""An emulator on two ports of this machine: one for the API, one for downloads."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from .emulator import Emulator
from .server import WebServer
from .web import download_app, whole_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class Server:
    """A running emulator. Use it as a context manager, or call `stop`.

    ``app`` makes what is served, downloads apart, from the emulator and the address of the download host. ``url`` is
    the root of the API and ``download_url`` that of the download host. Raises `OSError` if a port is taken, and
    `ValueError` for one that cannot be, or for a host that is not this machine: everybody knows the emulator's secret.
    """

    def __init__(
        self,
        emulator: Emulator,
        host: str,
        port: int,
        download_port: int,
        app: Callable[[Emulator, str], WSGIApplication],
    ) -> None:
        if not is_loopback(host):
            raise ValueError(f"{host} is not this machine: the emulator serves 127.0.0.1, localhost or ::1 only.")
        self.emulator = emulator
        self._downloads = WebServer(download_app(emulator), host, download_port)
        try:
            self._api = WebServer(None, host, port)
        except BaseException:
            self._downloads.stop()
            raise
        self.url, self.download_url = self._api.url, self._downloads.url
        self._api.app = app(emulator, self.download_url)
        self._pid: int | None = None
        self._starting = threading.Lock()

    @property
    def settings(self) -> dict[str, str]:
        """The settings of an app that shall talk to this emulator, by the names it reads them under."""
        return {
            "CLIENT_ID": self.emulator.app.client_id,
            "CLIENT_SECRET": self.emulator.app.client_secret,
            "BOX_API_URL": self.url,
            "BOX_UPLOAD_URL": f"{self.url}/api",
            "BOX_AUTHORIZE_URL": f"{self.url}/api/oauth2/authorize",
        }

    def start(self) -> None:
        """Begin to answer, unless this process does already: threads do not survive a fork, open ports do."""
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid != os.getpid():
                self._api.start()
                self._downloads.start()
                self._pid = os.getpid()

    def stop(self) -> None:
        """Free the ports. The emulator and its state stay."""
        self._api.stop()
        self._downloads.stop()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(emulator: Emulator, port: int = 0, host: str = "127.0.0.1", download_port: int = 0) -> Server:
    """Serve everything, switches included, and return the running `Server`. A port of 0 takes any that is free."""
    server = Server(emulator, host, port, download_port, whole_app)
    server.start()
    return server


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
