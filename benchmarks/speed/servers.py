"""The apps under gunicorn, and their users."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.speed.answers import USERS
from benchmarks.speed.box import Box, start, stop
from benchmarks.speed.processes import children, cpu_seconds, memory_mb
from benchmarks.speed.tokens import CLIENT_ID, CLIENT_SECRET
from box_auth.config import NAMES
from box_auth.tests.journey import ROOT
from box_auth.tests.programs import clean_environment

HERE = Path(__file__).resolve().parent
WORKERS, THREADS = 2, 8
STARTS_WITHIN = 60.0  # seconds


def rows_of(path: str) -> int:
    """Return how many rows the list on a page has: all pages are full but those of the smallest folder."""
    return 10 if path == "/files/10" else 100


class Failed(Exception):
    """An app that did not start, or whose pages are not what they should be; the others go on."""


@dataclass
class App:
    """One of the apps. A peer's ``package`` is installed into ``folder``, where nothing else looks."""

    name: str
    words: str
    login: str = "/login"
    package: str = ""
    folder: Path | None = None

    @property
    def module(self) -> str:
        return f"benchmarks.speed.apps.{self.name}:app"


class Server:
    """An app under gunicorn, with its users signed in by `sign_in`."""

    def __init__(
        self, app: App, box: Box, scheme: str, folder: Path, workers: int = WORKERS, threads: int = THREADS
    ) -> None:
        self.app, self.box, self.workers = app, box, workers
        self.folder = folder / f"{app.name}-{scheme}-{time.monotonic_ns()}"
        (self.folder / "instance").mkdir(parents=True)
        self.cookies: dict[int, str] = {}
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = listener.getsockname()[1]
        url = box.address(scheme)
        settings = {
            **dict.fromkeys(NAMES, ""),  # whatever the checkout's own .env says
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "REDIRECT_URI": f"http://127.0.0.1:{self.port}/callback",
            "SECRET_KEY": "the-same-everywhere-and-no-secret",
            "INSTANCE_DIR": str(self.folder / "instance"),
            "BOX_API_URL": url,
            "BOX_UPLOAD_URL": f"{url}/api",
            "BOX_AUTHORIZE_URL": f"{url}/api/oauth2/authorize",
            "REQUESTS_CA_BUNDLE": str(box.authorities),
            "SSL_CERT_FILE": str(box.authorities),
            "OAUTHLIB_INSECURE_TRANSPORT": "1",
            "BENCH_RULES": str(folder / "rules.json"),
            "BENCH_WORKERS": str(workers),
            "BENCH_THREADS": str(threads),
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),  # as where an app is deployed, and nothing in the checkout
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, [app.folder, ROOT]))),
        }
        command = [sys.executable, "-m", "gunicorn", "--config", "python:benchmarks.speed.gunicorn_settings"]
        command += ["--bind", f"fd://{listener.fileno()}", app.module]
        environment = clean_environment(**settings)
        del environment["PYTHONDONTWRITEBYTECODE"]
        self.log = self.folder / "log"
        self.began = time.perf_counter()
        with listener:
            self.process = start(command, self.log, cwd=ROOT, env=environment, pass_fds=[listener.fileno()])

    def wait(self) -> float:
        """Wait for the first page; return after how many seconds it came. Raises `Failed`."""
        end = time.monotonic() + STARTS_WITHIN
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/", patience=5)[0] == 200:
                    return time.perf_counter() - self.began
            time.sleep(0.002)
        self.stop()
        raise Failed(self._last_words())

    def _last_words(self) -> str:
        lines = [
            line for line in self.log.read_text(errors="replace").splitlines() if re.match(r"\w*(Error|Exc)", line)
        ]
        return (lines or [f"it gave no page within {STARTS_WITHIN:.0f} s"])[-1][:300]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # gunicorn waits for nobody then
        stop(self.process)

    @property
    def processes(self) -> list[int]:
        return [self.process.pid, *children(self.process.pid)]

    def cpu(self) -> float:
        return cpu_seconds(self.processes)

    def memory(self) -> float:
        """Return the memory of a worker in MB, the larger one's. Raises `Failed` if there is none."""
        workers = children(self.process.pid)
        if not workers:
            raise Failed(f"no worker is left: {self._last_words()}")
        return max(memory_mb(worker) for worker in workers)

    def get(self, path: str, cookie: str = "", patience: float = 120) -> tuple[int, Any, bytes]:
        """Get a page over a connection of its own: status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def sign_in(self, users: Iterable[int] = range(USERS)) -> None:
        """Sign users in as browsers and Box would; Box's consent page is left out."""
        for user in users:
            jar: dict[str, str] = {}
            _, headers, _ = self._step(self.app.login, jar)
            query = parse_qs(urlsplit(headers["Location"]).query)
            back = urlsplit(query["redirect_uri"][0]).path
            status, _, body = self._step(
                f"{back}?{urlencode({'code': f'code-{user}', 'state': query['state'][0]})}", jar
            )
            if status != 302:
                raise Failed(f"a sign-in ended with {status}: {body[-300:].decode(errors='replace')}")
            self.cookies[user] = "; ".join(f"{name}={value}" for name, value in jar.items())

    def view(self, user: int, path: str) -> tuple[int, bytes]:
        """Get a page as a user's browser would, which keeps the cookies that come with it: status and body."""
        jar = dict(each.split("=", 1) for each in self.cookies[user].split("; "))
        status, _, body = self._step(path, jar)
        self.cookies[user] = "; ".join(f"{name}={value}" for name, value in jar.items())
        return status, body

    def _step(self, path: str, jar: dict[str, str]) -> tuple[int, Any, bytes]:
        answer = self.get(path, "; ".join(f"{name}={value}" for name, value in jar.items()))
        for cookie in answer[1].get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name] = value
        return answer
