"""The emulator: everything a Box knows and does, apart from HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from flask import request

from .apps import App
from .database import Database
from .limits import Limits
from .model import Model
from .options import Options
from .schema import TABLES
from .seed_file import Seed
from .seeds import seed as sow
from .tokens import Grant, TokenPair
from .traffic import Fault, Faults, RequestLog

REDIRECT_URIS = ("http://127.0.0.1:5000/callback", "http://localhost:5000/callback")


class Emulator(Model):
    """A Box of your own, in a SQLite file or in memory. A new database gets made-up users and files.

    State and clock live in the database and are shared by all who open it; options, faults and the request log
    belong to this object. Others than the made-up ones come from a ``seed``, as `Seed` reads it or as plain data.
    Raises `WrongDatabase` for a file of another version, and `BadSeed`.
    """

    def __init__(
        self,
        database: str | Path = ":memory:",
        *,
        redirect_uris: Iterable[str] = REDIRECT_URIS,
        seed: Seed | Mapping[str, Any] | None = None,
    ) -> None:
        first = _seed(seed)
        super().__init__(Database(database))
        self.requests = RequestLog(self.clock)
        self.faults = Faults()
        self.limits = Limits()
        self.options = Options()
        # The id and secret are no secrets: they open nothing but made-up files on this machine.
        self.app = App("emulator-client-id", "emulator-client-secret", "Your app", tuple(redirect_uris))
        self._seed = first
        try:
            self._fill()
        except BaseException:
            self.close()
            raise

    def allow_origins(self, *origins: str, app: App | None = None) -> None:
        """Let pages of these origins, and no others, call the API from a browser with tokens of the app."""
        self.apps.put(replace(app or self.app, origins=origins))

    def sign_in(self, login: str, app: App | None = None) -> TokenPair:
        """Return a token pair as if this user had just granted access, without a browser."""
        grant = Grant((app or self.app).client_id, self.users.named(login).id)
        return self.tokens.issue(grant, self.options.access_token_lifetime)

    def expire_tokens(self, kind: Literal["access", "refresh"] = "access", user: str | None = None) -> None:
        """Let all access or refresh tokens expire now, or those of one user, given by login."""
        self.tokens.expire_all(kind, self._id(user))

    def revoke_tokens(self, user: str | None = None) -> None:
        """Revoke every token, or those of one user, given by login."""
        self.tokens.revoke_all(self._id(user))

    def fault(
        self,
        route: str,
        *,
        times: int = 1,
        status: int | None = None,
        retry_after: int | str | None = None,
        body: str | None = None,
        content_type: str = "application/json",
        latency: float = 0,
        drop: Literal["before", "during", "after"] | None = None,
    ) -> None:
        """Let the next ``times`` requests of a route, such as ``GET /2.0/folders/*``, go wrong.

        With ``status`` they are answered with that, an error of Box's shape or ``body``, and have no effect.
        ``latency`` delays them by that many real seconds. ``drop`` cuts the connection before the effect, during
        the answer, or after the effect with no answer at all.
        """
        self.faults.add(Fault(route, times, status, retry_after, body, content_type, latency, drop))

    def set_options(self, **options: Any) -> None:
        """Change some of `Options`; an unknown name, or a value of the wrong type, raises `ValueError`."""
        self.options = self.options.changed(**options)

    def reset(self, seed: Seed | Mapping[str, Any] | None = None) -> None:
        """Start over: the first users and files, real time, no tokens, no faults, an empty log.

        With a seed, the users, files and apps in it are the first ones from now on. `BadSeed` changes nothing.
        """
        before = self._seed
        self._seed = _seed(seed) or before
        try:
            self._start_over()
        except BaseException:  # whatever it was, the first users stay the first users
            self._seed = before
            raise
        self.faults.clear()
        self.contents.tidy()
        self.limits.clear()
        self.requests.clear()
        self.tokens.refreshes.update(accepted=0, refused=0)
        self.options = Options()

    def _start_over(self) -> None:
        with self.database.transaction() as transaction:
            for table in TABLES:
                transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
            transaction.execute("UPDATE clock SET offset = 0, frozen_at = NULL")
            self._fill()

    def _fill(self) -> None:
        """Register the app, and make the first users unless there are some; safe with other processes at it."""
        with self.database.transaction():
            known = self.apps.get(self.app.client_id)
            if known is None or known.redirect_uris != self.app.redirect_uris:
                self.apps.put(replace(self.app, origins=known.origins if known else ()))
            if not self.users:
                self._seed.sow(self) if self._seed else sow(self)

    def _id(self, login: str | None) -> str | None:
        return self.users.named(login).id if login else None


def _seed(given: Seed | Mapping[str, Any] | None) -> Seed | None:
    return given if given is None or isinstance(given, Seed) else Seed(given)


def here() -> Emulator:
    """Return the emulator of the request at hand."""
    emulator: Emulator = request.environ["box_emulator.emulator"]
    return emulator


def download_url() -> str:
    """Return the root of the host that serves downloads; on an app's own port that is a path."""
    url: str = request.environ["box_emulator.download_url"]
    return url or request.script_root
