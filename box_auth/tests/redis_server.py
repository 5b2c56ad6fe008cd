"""A real redis-server on a free port, for the tests that need one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading

import pytest

from .certificates import Certificate
from .journey import free_port

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(not PROGRAM, reason="no redis-server on this machine (Debian: apt-get install redis)")


class RedisServer:
    """Runs from entering to leaving; `stop` and `start` make an outage that keeps the data.

    With ``tls`` it shows that certificate, and wants one of ``clients``, if that authority is given.
    """

    arguments: tuple[str, ...] = ()  # before all options
    ready = "Ready to accept connections"

    def __init__(
        self, *options: str, password: str = "", tls: Certificate | None = None, clients: Certificate | None = None
    ) -> None:
        self.port = free_port()
        at = f"127.0.0.1:{self.port}/0"
        self.url = f"redis{'s' if tls else ''}://" + (f":{password}@{at}" if password else at)
        self._options = ["--port", str(self.port), *options]
        if password:
            self._options += ["--requirepass", password]
        if tls:
            shown = ["--tls-cert-file", str(tls.path), "--tls-key-file", str(tls.path)]
            asked = ["--tls-auth-clients", "yes" if clients else "no", "--tls-ca-cert-file", str((clients or tls).path)]
            self._options += ["--port", "0", "--tls-port", str(self.port), *shown, *asked]
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        command = [PROGRAM, *self.arguments, "--bind", "127.0.0.1", "--dir", self._folder.name]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "yes", *self._options],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self._process.stdout:
            if self.ready in line:
                self._reader = threading.Thread(target=self._process.stdout.read, daemon=True)  # or it would fill up
                self._reader.start()
                return
        raise AssertionError("redis-server did not start")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        self._wait()

    def kill(self) -> None:
        """End it where it stands; `start` makes it read again what it had written."""
        self._process.kill()
        self._wait()

    def _wait(self) -> None:
        self._process.wait(20)
        self._reader.join()
        self._process.stdout.close()
