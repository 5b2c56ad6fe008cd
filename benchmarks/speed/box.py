"""The quiet Box as a process, and how the bench starts and stops processes."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import certifi

from benchmarks.speed.processes import die_with_parent
from box_auth.tests.certificates import Certificate
from box_auth.tests.journey import ROOT
from box_auth.tests.programs import clean_environment


def start(command: list[str], log: Path, **more: Any) -> subprocess.Popen[str]:
    """Start a process that ends with this one, and says what it has to say in ``log``."""
    with open(log, "a") as said:
        streams = {"stdin": subprocess.DEVNULL, "stdout": said, "stderr": said, **more}
        return subprocess.Popen(command, preexec_fn=die_with_parent, text=True, **streams)


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


class Box:
    """The quiet Box as a process."""

    def __init__(self, folder: Path) -> None:
        authority = Certificate(folder, "authority")
        certificate = Certificate(folder, "box", authority)
        # Beside all that a machine usually trusts: to read that file takes whoever reads it long.
        self.authorities = folder / "authorities.pem"
        self.authorities.write_text(certifi.contents() + authority.path.read_text())
        command = [sys.executable, "-m", "benchmarks.speed.quiet_box", str(certificate.path)]
        environment = clean_environment()
        self.process = start(command, folder / "box.log", cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        assert self.process.stdout
        self.ports: dict[str, int] = json.loads(self.process.stdout.readline())
        self._http = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=30)
        self.delay = 0.0

    def stop(self) -> None:
        self._http.close()
        stop(self.process)

    def switch(self, name: str, **values: object) -> dict[str, Any]:
        self._http.request("GET", f"/_/{name}?{urlencode(values)}")
        answer: dict[str, Any] = json.load(self._http.getresponse())
        return answer

    def set_delay(self, seconds: float) -> None:
        if seconds != self.delay:
            self.switch("set", delay=seconds)
            self.delay = seconds

    def address(self, scheme: str) -> str:
        return f"{scheme}://127.0.0.1:{self.ports[scheme]}"
