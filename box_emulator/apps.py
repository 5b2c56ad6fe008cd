"""The apps that may ask users to sign in, and where each may send them back to."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .database import Database

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RedirectRefused(Exception):
    """The app may not send users there: `redirect_uri_mismatch` or `redirect_uri_missing`."""


@dataclass(frozen=True)
class App:
    """What a developer finds in the Box developer console.

    A redirect URI such as ``/callback`` means: that path, wherever the browser sees the consent page. Box knows no
    such thing; the demo needs it behind proxies that nobody told it about. ``origins`` are those of the pages that
    may call the API from a browser, such as ``http://localhost:3000`` or ``https://*.example.com``.
    """

    client_id: str
    client_secret: str = field(repr=False)
    name: str = "Your app"
    redirect_uris: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def knows_secret(self, secret: str) -> bool:
        return hmac.compare_digest(self.client_secret.encode(), secret.encode())

    def redirect(self, asked: str | None) -> str:
        """Return the address to send the browser back to, or raise `RedirectRefused`.

        Box: exact match, on loopback with any port; without one, there must be a single registered URI
        (guides, OAuth 2.0 setup and OAuth 2.0 without SDKs).
        """
        if not asked:
            if len(self.redirect_uris) == 1:
                return self.redirect_uris[0]
            raise RedirectRefused("redirect_uri_missing")
        for registered in self.redirect_uris:
            if _matches(registered, asked):
                return urlsplit(asked).path if registered.startswith("/") else asked
        raise RedirectRefused("redirect_uri_mismatch")


class Apps:
    """All apps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, app: App) -> App:
        """Register the app, or change what is registered under its client id."""
        with self._database.transaction() as transaction:
            lists = ("\n".join(app.redirect_uris), "\n".join(app.origins))
            values = (app.client_id, app.client_secret, app.name, *lists)
            transaction.execute("INSERT OR REPLACE INTO apps VALUES (?, ?, ?, ?, ?)", values)
        return app

    def add(self, name: str, redirect_uris: Iterable[str], origins: Iterable[str] = ()) -> App:
        """Register another app, with an id and a secret of its own."""
        return self.put(App(secrets.token_hex(16), secrets.token_hex(16), name, tuple(redirect_uris), tuple(origins)))

    def get(self, client_id: str) -> App | None:
        row = self._database.row("SELECT * FROM apps WHERE client_id = ?", client_id)
        return _app(row) if row else None


def _app(row: sqlite3.Row) -> App:
    uris, origins = (tuple(row[lines].splitlines()) for lines in ("redirect_uris", "origins"))
    return App(row["client_id"], row["client_secret"], row["name"], uris, origins)


def _matches(registered: str, asked: str) -> bool:
    if registered == asked:
        return True
    try:
        ours, theirs = urlsplit(registered), urlsplit(asked)
    except ValueError:  # such as an unclosed bracket
        return False
    if registered.startswith("/"):  # wherever the page is shown, also below a prefix; but never another host
        own = theirs.path.startswith("/") and not theirs.path.startswith("//") and "\\" not in theirs.path
        return own and theirs.path.endswith(registered) and not theirs.query
    if (ours.path, ours.query) != (theirs.path, theirs.query):
        return False
    same_place = (ours.scheme, ours.hostname) == (theirs.scheme, theirs.hostname)
    plain = not theirs.username and not theirs.password and not theirs.fragment
    return ours.hostname in LOOPBACK and same_place and plain
