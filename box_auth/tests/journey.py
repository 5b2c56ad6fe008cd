"""The app and its visitors as they really are: a process on a port, and somebody who follows links and sends forms.

The app is the one in `app/` beside this file, so that what a fork does to its own can turn none of these tests red.
"""

from __future__ import annotations

import atexit
import compileall
import contextlib
import functools
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
import requests

from .programs import clean_environment, start

if TYPE_CHECKING:
    from box_emulator import Emulator, Server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
APP = HERE / "app"
PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections


def local_box() -> ModuleType:
    """Return the package box_emulator, or skip what needs it."""
    reason = "needs box_emulator, the local Box, which was deleted"
    return pytest.importorskip("box_emulator", reason=reason, exc_type=ModuleNotFoundError)


def needs(*parts: str) -> None:
    """Skip what needs a part of the project that a fork may delete."""
    for part in parts:
        if not (ROOT / part).exists():
            pytest.skip(f"needs {part}, which was deleted", allow_module_level=True)


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection will take, either."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().choice(PORTS)))
            except OSError:
                continue
            return probe.getsockname()[1]


def checkout(folder: Path, *more: str) -> Path:
    """Make a small fork in ``folder``, where a test may write settings and data: the engine, the local Box if it is
    there, and an app. ``more`` are parts of this project that the test is about; it is skipped if one was deleted."""
    needs(*more)
    folder.mkdir(parents=True, exist_ok=True)
    for part in (*APP.iterdir(), *(ROOT / name for name in more)):
        if part.is_dir():
            shutil.copytree(part, folder / part.name)
        else:
            shutil.copy(part, folder)
    for package in _compiled().iterdir():
        shutil.copytree(package, folder / package.name, copy_function=_link)
    return folder


def _link(source: str, target: str) -> None:
    """Have a file in a second place, which is quicker than a copy; no test writes to those of the packages."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


@functools.cache
def _compiled() -> Path:
    """The packages of a fork without their tests, compiled once, so that processes start sooner from the copies."""
    folder = Path(tempfile.mkdtemp(prefix="box-compiled-"))
    atexit.register(shutil.rmtree, folder)
    for package in ("box_auth", "box_emulator"):
        if (ROOT / package).exists():
            leave_out = shutil.ignore_patterns("tests", "benchmarks", "__pycache__")
            shutil.copytree(ROOT / package, folder / package, ignore=leave_out)
    compileall.compile_dir(folder, quiet=2)
    return folder


class Process:
    """A server process; its output is collected, and read until it says that it listens."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str], ready: str) -> None:
        said, write_said = os.pipe()
        with open(os.devnull) as nothing:
            self.process = start(command, folder, environment, nothing.fileno(), write_said, write_said)
        os.close(write_said)
        self._said = os.fdopen(said)
        self.lines: list[str] = []
        self._news, self._ended = threading.Condition(), False
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()
        if not self.says(ready, 60) or self.process.poll() is not None:
            self.stop()
            raise AssertionError(f"{command} did not start:\n{self.output}")

    def _collect(self) -> None:
        for line in self._said:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def says(self, words: str, seconds: float = 20) -> bool:
        """Wait until ``words`` are in the output, for so many seconds at most."""
        with self._news:
            self._news.wait_for(lambda: self._ended or words in self.output, seconds)
            return words in self.output

    def stop(self) -> str:
        self.process.terminate()
        self.process.wait(20)
        self._reader.join(20)
        self._said.close()
        return self.output


class App(Process):
    """`flask run` in a checkout. ``url`` is where it answers."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        port = settings.get("CALLBACK_PORT") or str(free_port())
        command = [sys.executable, "-m", "flask", "run", "--port", port, "--no-reload", "--no-debugger"]
        super().__init__(command, folder, clean_environment(**settings), "Running on")
        self.url = f"http://127.0.0.1:{port}"

    @property
    def tokens(self) -> Path:
        return self.folder / "instance" / "tokens"


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        process.stop()


class Form(HTMLParser):
    """The first form of a page: its action, its fields as they stand, its radio buttons by label."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields, self.choices, self._choice = "", {}, {}, None
        self._seen = self._open = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and not self._seen:
            self.action, self._seen, self._open = attributes.get("action") or "", True, True
        elif tag == "input" and self._open:
            name, value = attributes.get("name"), attributes.get("value", "")
            if attributes.get("type") == "radio":
                self._choice = (name, value)
                if "checked" in attributes:
                    self.fields[name] = value
            elif name:
                self.fields[name] = value

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = False
        elif tag == "label":
            self._choice = None

    def handle_data(self, text):
        if self._choice and text.strip():
            self.choices[text.strip()] = self._choice


class Visitor:
    """Somebody with a browser that keeps cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **options) -> requests.Response:
        return self.http.get(urljoin(self.url, path), timeout=60, **options)

    def get_when_there(self, path: str) -> requests.Response:
        """Wait for a page of an app that is being edited: a restart leaves a request half an answer, or none."""
        end = time.monotonic() + 40
        while time.monotonic() < end:
            with contextlib.suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                page = self.get(path)
                if page.status_code != 404:
                    return page
            time.sleep(0.1)
        raise AssertionError(f"{path} did not come")

    def post(self, path: str, **options) -> requests.Response:
        return self.http.post(urljoin(self.url, path), timeout=60, **options)

    def consent_page(self, start: str = "/login") -> requests.Response:
        page = self.get(start)
        assert page.status_code == 200, page.text
        assert 'name="decision"' in page.text, page.text
        return page

    def answer(self, page: requests.Response, user: str = "", button: str = "grant", **options) -> requests.Response:
        """Choose ``user`` on Box's consent page (the one chosen already if empty), and press a button."""
        form = Form(page.text)
        fields = dict(form.fields)
        for label, (name, value) in form.choices.items():
            if user and user in label:
                fields[name] = value
        fields["decision"] = button
        return self.http.post(urljoin(page.url, form.action), data=fields, timeout=60, **options)

    def sign_in(self, user: str = "", start: str = "/login") -> requests.Response:
        return self.answer(self.consent_page(start), user)

    def callback_address(self, user: str = "", button: str = "grant") -> str:
        """Go as far as Box's answer and return the address it sends the browser to, without going there."""
        answer = self.answer(self.consent_page(), user, button, allow_redirects=False)
        return urljoin(answer.url, answer.headers["Location"])

    def session_cookie(self) -> str:
        """The session's cookie, whose name is this app's own, as a header has it."""
        return next(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies if "session" in cookie.name)

    def csrf_token(self) -> str:
        return re.search(r'name="csrf_token" value="([^"]+)"', self.get("/").text)[1]

    def sign_out(self) -> requests.Response:
        return self.post("/logout", data={"csrf_token": self.csrf_token()})


def code_of(page: requests.Response) -> str:
    """The short code on a page that tells of a problem."""
    found = re.search(r"Code: <code>([a-z_]+)</code>", page.text)
    return found[1] if found else f"no problem page ({page.status_code})"


def live_settings(emulator: Emulator, box: Server, port: int, **more: str) -> dict[str, str]:
    """The settings of a Box app that the emulator knows."""
    return {
        "CLIENT_ID": emulator.app.client_id,
        "CLIENT_SECRET": emulator.app.client_secret,
        "CALLBACK_PORT": str(port),
        "BOX_API_URL": box.url,
        "BOX_UPLOAD_URL": f"{box.url}/api",
        "BOX_AUTHORIZE_URL": f"{box.url}/api/oauth2/authorize",
        **more,
    }
