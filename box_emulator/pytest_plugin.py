"""Fixtures for a fork's tests. Write ``pytest_plugins = ["box_emulator.pytest_plugin"]`` in the top conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .emulator import Emulator
from .serving import Server, serve

if TYPE_CHECKING:
    from box_sdk_gen import BoxClient


@pytest.fixture
def box_emulator() -> Iterator[Server]:
    """A Box of this test's own, running: ``box_emulator.url``, ``.settings``, and all switches at ``.emulator``."""
    emulator = Emulator()
    with serve(emulator) as server:
        yield server
    emulator.close()


@pytest.fixture
def box_client(box_emulator: Server) -> BoxClient:
    """The official SDK's client, signed in as the first of the emulator's users, who can be refreshed."""
    return client_for(box_emulator)


def client_for(server: Server, login: str | None = None) -> BoxClient:
    """Return the official SDK's client, signed in as the user with this login, or as the first."""
    from box_sdk_gen import AccessToken, BaseUrls, BoxClient, BoxOAuth, NetworkSession, OAuthConfig

    emulator, settings = server.emulator, server.settings
    pair = emulator.sign_in(login or emulator.users[0].login)
    auth = BoxOAuth(OAuthConfig(settings["CLIENT_ID"], settings["CLIENT_SECRET"]))
    auth.token_storage.store(AccessToken(access_token=pair.access_token, refresh_token=pair.refresh_token))
    urls = BaseUrls(
        base_url=settings["BOX_API_URL"],
        upload_url=settings["BOX_UPLOAD_URL"],
        oauth_2_url=f"{settings['BOX_API_URL']}/api/oauth2",
    )
    return BoxClient(auth=auth, network_session=NetworkSession(base_urls=urls))
