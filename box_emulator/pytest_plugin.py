"""Fixtures for a fork's tests. Write ``pytest_plugins = ["box_emulator.pytest_plugin"]`` in the top conftest.py.

From then on the environment is that of a test: an app that is made, or imported, talks to an emulator of this process
and keeps its data in a temporary folder, whatever `.env` says. All of it ends with the run.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from .emulator import Emulator
from .serving import Server, serve
from .users import User
from .web import pages_app

if TYPE_CHECKING:
    from box_sdk_gen import BoxClient
    from flask import Flask
    from flask.testing import FlaskClient

# Where Flask's test client is; the port is its own, too, and has to be said because apps have a default.
REDIRECT_URI = "http://localhost:80/callback"
# What an app's .env may hold and no test shall use. An empty value in the environment unsets that in a .env.
UNSET = (
    *("CALLBACK_HOSTNAME", "CALLBACK_PORT", "REDIS_URL", "SECRET_KEY"),
    *("TOKEN_DIR", "TOKEN_ENCRYPTION_KEYS", "TRUSTED_PROXIES", "TRUSTED_HOSTS"),
    *("CLIENT_SECRET_FILE", "SECRET_KEY_FILE", "TOKEN_ENCRYPTION_KEYS_FILE", "REDIS_URL_FILE"),
)
_SERVER = pytest.StashKey[Server]()
_VISITORS = itertools.count(1)


class CannotSignIn(Exception):
    """The app under test did not sign its visitor in; the text says where it went wrong, and what to do."""


class SignIn(Protocol):
    """The function that the fixture `signed_in` gives."""

    def __call__(self, app: Flask, login: str = "") -> FlaskClient: ...


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the emulator, and set the environment, before any module of tests is imported."""
    with ExitStack() as stack:
        emulator = Emulator()
        stack.callback(emulator.close)
        server = config.stash[_SERVER] = stack.enter_context(serve(emulator))
        folder = tempfile.mkdtemp(prefix="box-tests-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        settings = dict.fromkeys(UNSET, "") | server.settings | {"REDIRECT_URI": REDIRECT_URI, "INSTANCE_DIR": folder}
        for name, value in settings.items():
            environment.setenv(name, value)
        config.add_cleanup(stack.pop_all().close)


@pytest.fixture
def _server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server of this process. What a test did to it ends with the test."""
    server = request.config.stash[_SERVER]
    yield server
    server.emulator.reset()


@pytest.fixture
def emulator(_server: Server) -> Emulator:
    """The Box that the app under test talks to, to bend and to question. It starts over after the test."""
    return _server.emulator


@pytest.fixture
def signed_in(_server: Server) -> SignIn:
    """Sign somebody in to a Flask app: ``signed_in(app, "bo@example.com")`` gives the app's test client.

    It goes through the app's real /login and /callback. Without a login it is the first of the emulator's users.
    Each client has an address of its own, as an app may limit the sign-ins of one. Raises `CannotSignIn`.
    """

    def sign_in(app: Flask, login: str = "") -> FlaskClient:
        user = _find(_server.emulator, login)
        client = app.test_client()
        high, low = divmod(next(_VISITORS), 256)
        client.environ_base["REMOTE_ADDR"] = f"127.1.{high % 256}.{low}"
        path = _path(app, "box.login", "/login")
        consent = _redirect(client, path, path)
        if not consent.startswith(f"{_server.settings['BOX_AUTHORIZE_URL']}?"):
            raise CannotSignIn(
                f"{path} leads to {consent.partition('?')[0]}, and not to the emulator at {_server.url}. Make or "
                "import the app after box_emulator.pytest_plugin has set the environment: in a module of tests or in a "
                "fixture, not at the top of conftest.py. And let it take its settings from the environment."
            )
        back = _grant(_server.emulator, consent, user)
        _redirect(client, _path(app, "box.callback", "/callback"), back)
        return client

    return sign_in


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


def _find(emulator: Emulator, login: str) -> User:
    try:
        return emulator.users.named(login) if login else emulator.users[0]
    except KeyError:
        known = ", ".join(user.login for user in emulator.users)
        raise CannotSignIn(f"The emulator has no user {login}. It has: {known}.") from None


def _path(app: Flask, endpoint: str, usual: str) -> str:
    """Return where the app has this page, or the usual place if it has no such endpoint."""
    known = any(rule.endpoint == endpoint for rule in app.url_map.iter_rules())
    return app.url_map.bind("localhost").build(endpoint) if known else usual


def _redirect(client: FlaskClient, page: str, address: str) -> str:
    """Get an address of the app, and return where it leads to."""
    answer = client.get(address)
    if answer.status_code in (301, 302, 303, 307, 308):
        return answer.headers["Location"]
    raise CannotSignIn(f"{page} answered {answer.status_code} and did not redirect. It says: {_words(answer)}")


def _grant(emulator: Emulator, consent: str, user: User) -> str:
    """Grant access on the consent page as this user, and return the path and query of the app's callback."""
    browser = Client(pages_app(emulator))
    parts = urlsplit(consent)
    form = {"decision": "grant", "user": user.id}
    answer = browser.post(parts.path, query_string=parts.query, data=form)
    if answer.status_code != 302:
        raise CannotSignIn(f"The consent page refuses what the app asks for: {_words(answer)}")
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def _words(answer: Any) -> str:
    """Return what a page says from its heading on, or from its beginning if it has none, without markup."""
    page = answer.get_data(as_text=True)
    text = re.sub(r"<[^>]*>", " ", page[max(page.find("<h1"), 0) :])
    return " ".join(text.split())[:400]
