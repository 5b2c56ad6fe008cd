"""The emulator: everything a Box knows and does, apart from HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from flask import current_app

from .apps import App, Apps
from .clock import Clock
from .database import Database
from .items import ROOT, Item, Items
from .pictures import picture
from .schema import TABLES
from .seed import seed
from .tokens import ACCESS_LIFETIME, TokenPair, Tokens
from .traffic import Fault, Faults, RequestLog
from .users import GIGABYTE, User, Users

REDIRECT_URIS = ("http://127.0.0.1:5000/callback", "http://localhost:5000/callback")


@dataclass
class Options:
    """How this emulator behaves where Box itself is not always the same.

    ``lenient_refresh`` lets a refresh token be used again until the new access token is (see `Tokens.refresh`).
    ``access_token_lifetime`` is in seconds; Box's examples vary from 3600 to 4175. ``token_overrides`` replaces parts
    of the token answer, for bad input: ``{"expires_in": "soon"}`` sends that, ``{"expires_in": None}`` leaves it out.
    """

    lenient_refresh: bool = False
    access_token_lifetime: int = ACCESS_LIFETIME
    token_overrides: dict[str, Any] = field(default_factory=dict)


class Emulator:
    """A Box of your own, in a SQLite file or in memory. A new database gets made-up users and files.

    State and clock live in the database and are shared by all who open it; options, faults and the request log
    belong to this object. Raises `WrongDatabase` for a file of another version.
    """

    def __init__(self, database: str | Path = ":memory:", *, redirect_uris: Iterable[str] = REDIRECT_URIS) -> None:
        self.database = Database(database)
        self.clock = Clock(self.database)
        self.apps = Apps(self.database)
        self.users = Users(self.database, self.clock)
        self.items = Items(self.database, self.clock)
        self.tokens = Tokens(self.database, self.clock)
        self.requests = RequestLog(self.clock)
        self.faults = Faults()
        self.options = Options()
        # The id and secret are no secrets: they open nothing but made-up files on this machine.
        self.app = App("emulator-client-id", "emulator-client-secret", "Your app", tuple(redirect_uris))
        self._fill()

    def add_app(self, name: str, redirect_uris: Iterable[str]) -> App:
        """Register another app."""
        return self.apps.add(name, redirect_uris)

    def add_user(
        self,
        name: str,
        login: str,
        *,
        job_title: str = "",
        space_amount: int | None = 10 * GIGABYTE,
        space_used: int = 0,
        avatar: bytes | bool = False,
        age: float = 0,
    ) -> User:
        """Add a user with an empty root folder. ``avatar`` is a picture's bytes, or True to have one drawn.

        ``space_amount`` None makes an account for which Box tells no space figures.
        """
        drawn = picture(login) if avatar is True else avatar or None
        return self.users.add(
            name,
            login,
            job_title=job_title,
            space_amount=space_amount,
            space_used=space_used,
            avatar=drawn,
            age=age,
        )

    def add_item(
        self,
        owner: User | str,
        name: str,
        type: Literal["file", "folder", "web_link"] = "file",
        *,
        parent: Item | str = ROOT,
        content: bytes = b"",
        url: str | None = None,
        description: str = "",
        age: float = 0,
    ) -> Item:
        """Add a file, a folder or a web link for ``owner``, a user or a login. ``age`` is in seconds."""
        user = owner if isinstance(owner, User) else self.users.named(owner)
        folder = parent.id if isinstance(parent, Item) else parent
        return self.items.add(
            user.id, name, type, parent=folder, content=content, url=url, description=description, age=age
        )

    def sign_in(self, login: str, app: App | None = None) -> TokenPair:
        """Return a token pair as if this user had just granted access, without a browser."""
        client = app or self.app
        return self.tokens.issue(client.client_id, self.users.named(login).id, self.options.access_token_lifetime)

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
        changed = asdict(self.options)
        for name, value in options.items():
            if name not in changed:
                raise ValueError(f"There is no option {name}.")
            if type(value) is not type(changed[name]):
                raise ValueError(f"The option {name} takes a {type(changed[name]).__name__}.")
        self.options = Options(**changed | options)

    def reset(self) -> None:
        """Start over: the first users and files, real time, no tokens, no faults, an empty log."""
        with self.database.transaction() as transaction:
            for table in TABLES:
                transaction.execute(f"DELETE FROM {table}")  # noqa: S608 - ours
            transaction.execute("UPDATE clock SET offset = 0, frozen_at = NULL")
            self._fill()
        self.faults.clear()
        self.requests.clear()
        self.tokens.refreshes.update(accepted=0, refused=0)
        self.options = Options()

    def close(self) -> None:
        self.database.close()

    def _fill(self) -> None:
        """Register the app, and make the first users unless there are some; safe with other processes at it."""
        with self.database.transaction():
            if self.apps.get(self.app.client_id) != self.app:
                self.apps.put(self.app)
            if not self.users:
                seed(self)

    def _id(self, login: str | None) -> str | None:
        return self.users.named(login).id if login else None


def here() -> Emulator:
    """Return the emulator of the request at hand."""
    emulator: Emulator = current_app.extensions["box_emulator"]
    return emulator
