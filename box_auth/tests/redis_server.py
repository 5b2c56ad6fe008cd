"""A real redis-server on a free port, for the tests that need one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

import pytest

from .journey import free_port

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(not PROGRAM, reason="no redis-server on this machine (Debian: apt-get install redis)")


class RedisServer:
    """Runs from entering to leaving; `stop` and `start` make an outage that keeps the data."""

    def __init__(self, *options: str, password: str = "") -> None:
        self._options = options
        self.port = free_port()
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0" if password else f"redis://127.0.0.1:{self.port}/0"
        self._password = password
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> None:
        command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder.name]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "yes", "--requirepass", self._password, *self._options],
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)
