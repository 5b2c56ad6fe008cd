"""What the emulator's tests stand on."""

from __future__ import annotations

import pytest
import requests
from openapi_check import description, watch
from typed import Sdk

from box_emulator import Emulator, serve

pytest_plugins = ["box_emulator.pytest_plugin"]


@pytest.fixture
def emulator():
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def box(emulator):
    """The emulator's server, for tests that look at addresses."""
    judge = description()
    with serve(emulator) as server:
        problems = watch(server._api.app, judge) if judge else []
        yield server
    assert problems == []


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def sdk(box, http):
    """The official SDK, signed in as the first user; what it reads is checked."""
    return Sdk(box, http, "ada@example.com")
