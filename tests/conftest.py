"""What most tests stand on: a local Box that they can bend, and the app as a process that talks to it."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from journey import App, Visitor, checkout, free_port, running

from box_emulator import Emulator, serve
from box_emulator.tests.openapi_check import description, watch


@pytest.fixture
def emulator():
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def box(emulator):
    """The emulator's server, for tests that look at addresses."""
    judge = description()
    with watch(judge) if judge else nullcontext([]) as problems, serve(emulator) as server:
        yield server
    assert problems == []


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


def live_settings(emulator: Emulator, box, port: int, **more: str) -> dict[str, str]:
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
