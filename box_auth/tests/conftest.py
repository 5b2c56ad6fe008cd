"""What most tests stand on: a local Box that they can bend, and the app as a process that talks to it."""

from __future__ import annotations

import pytest
import requests

from box_emulator import Emulator, serve

from .journey import App, Visitor, checkout, free_port, live_settings, running


@pytest.fixture
def emulator():
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def box(emulator):
    """The emulator's server, for tests that look at addresses."""
    with serve(emulator) as server:
        yield server


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def live(emulator, box, tmp_path):
    """The app in live mode, its Box being the emulator: real credentials, real sockets, a process of its own."""
    port = free_port()
    with running(App(checkout(tmp_path / "fork"), **live_settings(emulator, box, port))) as app:
        yield app


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The app as it comes out of a clone: no .env, no account."""
    with running(App(checkout(tmp_path_factory.mktemp("demo")))) as app:
        yield app


@pytest.fixture
def visitor(live):
    with Visitor(live.url) as visitor:
        yield visitor
