"""Python programs as processes: started, waited for, stopped. Most come from `starter.py`, which is fast."""

from __future__ import annotations

import atexit
import functools
import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

STARTER = Path(__file__).resolve().parent / "starter.py"
USUAL = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def clean_environment(**settings: str) -> dict[str, str]:
    """The machine's environment without anything that could set the app up, and with ``settings``."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
    return {**kept, **USUAL, **settings}


def start(
    command: list[str], folder: Path, environment: dict[str, str], stdin: int, stdout: int, stderr: int
) -> Started | subprocess.Popen[bytes]:
    """Start a program; the streams are descriptors, and stay the caller's to close."""
    # What else the interpreter reads when it starts, the starter's forks would have missed.
    special = any(name.startswith("PYTHON") for name in environment.keys() - USUAL.keys())
    if command[0] != sys.executable or special or not hasattr(os, "fork"):
        _heed_interrupts()
        return subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin, stdout=stdout, stderr=stderr)
    request = {"arguments": command[1:], "folder": str(folder), "environment": environment}
    ours, theirs = os.pipe()
    try:
        socket.send_fds(_starter(), [json.dumps(request).encode() + b"\n"], [stdin, stdout, stderr, theirs])
    finally:
        os.close(theirs)
    return Started(command, ours)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program that gets nothing to read, and return what it said."""
    with open(os.devnull) as nothing, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = start(command, folder, environment, nothing.fileno(), stdout.fileno(), stderr.fileno())
        try:
            status = process.wait(60)
        finally:
            process.kill()
            process.wait()
        said = []
        for stream in (stdout, stderr):
            stream.seek(0)
            said.append(stream.read().decode(errors="replace"))
        return subprocess.CompletedProcess(command, status, *said)


def processes() -> multiprocessing.context.ForkServerContext | multiprocessing.context.SpawnContext:
    """Return what makes processes for functions of a test: they share nothing with this one, and start fast."""
    socket_fits = len(tempfile.gettempdir()) < 60  # it listens there, and such a path has 100 characters at most
    if "forkserver" not in multiprocessing.get_all_start_methods() or not socket_fits:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["box_auth.flask", "pytest", "requests"])
    return context


class Started:
    """A program of the starter's: as much of `subprocess.Popen` as tests need."""

    def __init__(self, command: list[str], report: int) -> None:
        self._command, self._report = command, os.fdopen(report, "rb", buffering=0)
        self.pid = int(self._report.readline())
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._command, timeout or 0)
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@functools.cache
def _starter() -> socket.socket:
    """Run the starter until this process ends, and return the socket on which it takes requests."""
    ours, theirs = socket.socketpair()
    with theirs:
        descriptor = theirs.fileno()
        command = [sys.executable, str(STARTER), str(descriptor)]
        process = subprocess.Popen(command, env=clean_environment(), stdin=subprocess.DEVNULL, pass_fds=[descriptor])
    atexit.register(process.wait)  # after the socket is closed, as that comes first
    atexit.register(ours.close)
    return ours


def _heed_interrupts() -> None:
    """Have the processes we start listen to Ctrl-C, also where a shell started us in the background, to ignore it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
