"""What most tests stand on: a local Box that they can bend, and the app as a process that talks to it.

An emulator is made for each test; the app is started once, and finds a new Box at the old address. What needs the
emulator is skipped where a fork has deleted it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from urllib3.connectionpool import HTTPConnectionPool

from .journey import App, Visitor, checkout, free_port, live_settings, local_box, running
from .small_apps import SITE, SmallApps
from .terminal import settings_for


@pytest.fixture
def emulator():
    emulator = local_box().Emulator()
    yield emulator
    emulator.close()


@pytest.fixture(scope="session")
def box_ports():
    return {"port": free_port(), "download_port": free_port()}


@pytest.fixture
def box(emulator, box_ports):
    """The emulator's server, for tests that look at addresses."""
    with local_box().serve(emulator, **box_ports) as server:
        yield server


@pytest.fixture
def settings(emulator, box):
    """Settings of an app that the emulator knows, on a port of its own."""
    return settings_for(emulator, box)


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Sent(NamedTuple):
    """A request as it went out. ``url`` is whole, its body is text or a stream."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any


@pytest.fixture
def sent(monkeypatch):
    """The requests that this process sends, redirects and all: they go on to where they should."""
    sent, urlopen = [], HTTPConnectionPool.urlopen

    def note(pool, method, url, body=None, headers=None, **more):
        sent.append(Sent(method, f"{pool.scheme}://{pool.host}:{pool.port}{url}", dict(headers or {}), body))
        return urlopen(pool, method, url, body=body, headers=headers, **more)

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", note)
    return sent


@pytest.fixture
def fork(tmp_path):
    """A small fork, without settings."""
    return checkout(tmp_path / "fork")


@pytest.fixture
def open_fork():
    """The same where any user may come to; below pytest's own folder, that is nobody else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if not all(above.stat().st_mode & 0o001 for above in folder.parents):
            pytest.skip(f"needs a temporary folder that other users may enter: {folder.parent} is closed to them")
        yield checkout(folder / "fork")


@pytest.fixture
def demo_fork(fork):
    """The same, for tests that run it as the demo."""
    local_box()
    return fork


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The app as it comes out of a clone: no .env, no account. All tests share it, so each is a visitor like others."""
    local_box()
    with running(App(checkout(tmp_path_factory.mktemp("demo")))) as app:
        yield app


@pytest.fixture(scope="session")
def apps(tmp_path_factory):
    """The app in live mode, once it was started: a list of one."""
    apps = []
    yield apps
    for app in apps:
        app.stop()


@pytest.fixture
def live(emulator, box, apps, tmp_path_factory):
    """The app in live mode, its Box being the emulator: real credentials, real sockets, a process of its own.

    The process is an earlier test's if that left it running; what it kept for its users is gone.
    """
    if apps and apps[0].process.poll() is not None:
        apps.clear()
    if not apps:
        folder = checkout(tmp_path_factory.mktemp("live"))
        apps.append(App(folder, **live_settings(emulator, box, free_port())))
    (app,) = apps
    for kept in (app.folder / "instance").iterdir():
        if kept.is_dir():
            shutil.rmtree(kept)
        elif kept.name != "secret_key":  # that the process has read
            kept.unlink()
    app.lines.clear()
    return app


@pytest.fixture
def visitor(live):
    with Visitor(live.url) as visitor:
        yield visitor


@pytest.fixture
def make(emulator, box, monkeypatch, tmp_path):
    """Makes small apps in this process, in live mode unless their settings say otherwise."""
    live = live_settings(emulator, box, 80, REDIRECT_URI=f"{SITE}/callback")
    apps = SmallApps(monkeypatch, tmp_path, **live)
    yield apps
    apps.close()
