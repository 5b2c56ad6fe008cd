"""The processes that the programs beside this file start, stop, kill and look into: gunicorn with the app, Redis, Box.

What it reads of processes, it reads from Linux's /proc.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from flask import request

from benchmarks.speed.processes import PROC, children
from box_auth.tests.journey import ROOT, Process, clean_environment, free_port
from box_emulator import Emulator
from box_emulator.tokens import TokenPair

DEBUG = """[loggers]\nkeys=root\n[handlers]\nkeys=all\n[formatters]\nkeys=
[logger_root]\nlevel=DEBUG\nhandlers=all\n[handler_all]\nclass=StreamHandler\nargs=(sys.stderr,)\n"""


class Gunicorn(Process):
    """The app of a checkout under gunicorn, with every log at DEBUG. It listens at ``port``, or at ``CALLBACK_PORT``,
    or at any that is free."""

    def __init__(
        self, folder: Path, *arguments: str, debug: bool = True, port: int | None = None, **settings: str
    ) -> None:
        (folder / "debug.ini").write_text(DEBUG)
        logs = ["--log-level", "debug", "--log-config", "debug.ini"] if debug else []
        environment = clean_environment(**{"CALLBACK_PORT": str(free_port()), **settings})
        bind = f"127.0.0.1:{port or environment['CALLBACK_PORT']}"
        command = [sys.executable, "-m", "gunicorn", "--bind", bind, *logs, *arguments]
        self.url = f"http://{bind}"
        self.killed: set[int] = set()
        super().__init__(command, folder, environment, "Listening at")

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that were not killed."""
        return sorted({int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.output)} - self.killed)

    def kill(self, worker: int) -> None:
        self.killed.add(worker)
        os.kill(worker, signal.SIGKILL)

    def wait_for_workers(self, count: int) -> None:
        """Ask for pages until ``count`` workers have answered, each more than once."""
        end, seen = time.monotonic() + 60, len(self.lines)
        while time.monotonic() < end:
            assert ask(self.url).status == 200
            answers, workers = "".join(self.lines[seen:]), self.workers
            if len(workers) == count and all(answers.count(f"<{worker}>") > 1 for worker in workers):
                return
        raise AssertionError(f"Not all of {count} workers answer:\n{self.output}")


class Redis:
    """A redis-server that forgets nothing it has confirmed, from `start` to `stop` as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        keep = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        ready = "Ready to accept connections"
        self._process = Process(["redis-server", *where, *keep], self._folder, clean_environment(), ready)

    def stop(self) -> None:
        self._process.process.send_signal(signal.SIGCONT)
        self._process.stop()

    def pause(self) -> None:
        self._process.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.process.send_signal(signal.SIGCONT)


class Box:
    """The emulator as a process with its data in a file, so that it can be restarted and remembers. Access tokens live
    ``life`` seconds. ``restarted`` is when (monotonic) it last was."""

    def __init__(self, folder: Path, users: int, life: int) -> None:
        self._life = life
        self.data, self._port = folder / "box.sqlite3", free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.inside = Emulator(self.data)  # the same Box, for a look into it
        for number in range(len(self.inside.users), users):
            self.inside.add_user(f"User {number}", f"user{number}@example.com")
        self.restarted = 0.0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "box_emulator", "--port", str(self._port), "--data", str(self.data)]
        self._process = Process(command, ROOT, clean_environment(), "Stop it with")
        self.switch("options", access_token_lifetime=self._life)

    def stop(self) -> None:
        self._process.stop()

    def restart(self) -> None:
        self.restarted = time.monotonic()
        self.stop()
        time.sleep(1)
        self.start()
        self.restarted = time.monotonic()

    def switch(self, name: str, **values: object) -> None:
        requests.post(f"{self.url}/_emulator/{name}", json=values, timeout=10).raise_for_status()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "CLIENT_ID": self.inside.app.client_id,
            "CLIENT_SECRET": self.inside.app.client_secret,
            "BOX_API_URL": self.url,
            "BOX_UPLOAD_URL": f"{self.url}/api",
            "BOX_AUTHORIZE_URL": f"{self.url}/api/oauth2/authorize",
        }


class Answer(NamedTuple):
    """What came back. ``status`` is 0 where the connection was cut, -1 where nothing came in time."""

    status: int
    page: str
    seconds: float

    @property
    def says_busy(self) -> bool:
        return self.status in (502, 503, 504)

    @property
    def says_signed_out(self) -> bool:
        return self.status in (302, 401)

    @property
    def code(self) -> str:
        """The short code on a page that tells of a problem, else ""."""
        found = re.search(r"Code: <code>([a-z_]+)</code>", self.page)
        return found[1] if found else ""


def ask(url: str, path: str = "/", cookie: str = "", patience: float = 30.0) -> Answer:
    """Get a page over a connection of its own."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=patience)
    try:
        connection.request("GET", path, headers={"Cookie": cookie})
        response = connection.getresponse()
        status, page = response.status, response.read().decode()
    except TimeoutError:
        status, page = -1, ""
    except (OSError, http.client.HTTPException):
        status, page = 0, ""
    finally:
        connection.close()
    return Answer(status, page, time.monotonic() - begun)


class Refreshes:
    """What Box sees of refreshes: which worker of ``apps`` sends which refresh token, and how many come ``twice``.

    A token counts as coming twice if a second process sends it although the first one was not killed. ``before`` and
    ``after`` are called in the middle of each refresh, with the id of its process: before Box takes the token, and
    when it has taken it and not answered yet. Looking for processes takes time: without ``watching``, nothing is done.
    """

    def __init__(self, emulator: Emulator, apps: list[Gunicorn]) -> None:
        self.twice, self.watching = 0, True
        self.before: Callable[[int], None] | None = None
        self.after: Callable[[int], None] | None = None
        self._apps, self._senders, self._lock = apps, dict[str, int](), threading.Lock()
        self._refresh = emulator.tokens.refresh
        emulator.tokens.refresh = self._watched  # type: ignore[method-assign]

    def _watched(self, client_id: str, token: str, *more: Any) -> TokenPair:
        if not self.watching:
            return self._refresh(client_id, token, *more)
        port = request.environ["box_emulator.drop"].__self__.client_address[1]
        here = int(request.environ["SERVER_PORT"])
        process = process_at(port, here, [worker for app in self._apps for worker in children(app.process.pid)])
        with self._lock:
            first = self._senders.setdefault(token, process)
            known = 0 not in (first, process) and not any(first in app.killed for app in self._apps)
            self.twice += known and first != process
        if self.before:
            self.before(process)
        try:
            return self._refresh(client_id, token, *more)
        finally:
            if self.after:
                self.after(process)


def process_at(port: int, to: int, processes: Iterable[int]) -> int:
    """Return which of the processes has the TCP connection between these ports of 127.0.0.1; 0 if nobody can tell."""
    with contextlib.suppress(OSError):
        for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1:3] == [f"0100007F:{port:04X}", f"0100007F:{to:04X}"]:
                return next((each for each in processes if f"socket:[{fields[9]}]" in descriptors(each)), 0)
    return 0


def descriptors(process: int) -> list[str]:
    """Return what the open descriptors of a process lead to; nothing if it is gone."""
    found = []
    with contextlib.suppress(OSError):
        for path in (PROC / str(process) / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.append(os.readlink(path))
    return found


def stop(process: int) -> None:
    """Have a process stand still (SIGSTOP), and wait until all of its threads do, which may take a while."""
    assert process, "0 would be this program itself"
    os.kill(process, signal.SIGSTOP)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        threads = [task / "stat" for task in (PROC / str(process) / "task").iterdir()]
        if all(stat.read_text().rpartition(") ")[2].startswith("T") for stat in threads):
            return
    raise AssertionError("the process goes on")


def status_of(process: int) -> dict[str, int]:
    """Return the numbers in /proc's status of a process, such as ``VmRSS`` (kB) and ``Threads``; {} if it is gone."""
    with contextlib.suppress(OSError):
        text = (PROC / str(process) / "status").read_text()
        return {name: int(number) for name, number in re.findall(r"^(\w+):\s+(\d+)(?: kB)?$", text, re.MULTILINE)}
    return {}
