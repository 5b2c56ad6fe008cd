"""What most tests stand on: an emulator of their own, its server, and the official SDK as a client."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import requests

from box_emulator import Emulator, serve
from box_emulator.pytest_plugin import box_client, box_emulator  # noqa: F401 - fixtures of a fork, tested here

from .openapi_check import description, watch
from .typed import Sdk


@pytest.fixture
def emulator():
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def box(emulator):
    """The emulator's server, for tests that look at addresses. Its answers are held against Box's description."""
    judge = description()
    with watch(judge) if judge else nullcontext([]) as problems, serve(emulator) as server:
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
