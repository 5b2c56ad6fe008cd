"""Browser sessions on the server: who is signed in, and what a fork keeps. Never tokens, never a pickle."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from .. import private_files
from ..config import Settings
from ..errors import StoreUnavailable
from ..stores.record import app_id
from . import assets, visitor
from .file_sessions import FileSessions
from .session_json import check

LIFETIME = timedelta(days=60)  # as long as Box's refresh tokens


def install(app: Flask, folder: Path, settings: Settings) -> BrowserSessions:
    """Give ``app`` server-side sessions, in Redis or as JSON files in ``folder``, and a secret key if it has none.

    What the app set itself stays: SECRET_KEY, SESSION_COOKIE_… and PERMANENT_SESSION_LIFETIME, unless it is what
    Flask sets anyway.
    """
    app.secret_key = app.secret_key or settings.secret_key or own_secret_key(folder)
    ours = {
        "SESSION_REFRESH_EACH_REQUEST": False,  # a request that only reads writes nothing
        "PERMANENT_SESSION_LIFETIME": LIFETIME,
        "SESSION_COOKIE_NAME": cookie_name(folder, settings),
        "SESSION_COOKIE_PATH": _cookie_path(settings),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",  # the way back from Box is a link from another site
        "SESSION_COOKIE_SECURE": settings.redirect_uri.startswith("https:"),
    }
    for name, value in ours.items():
        if app.config.get(name) is Flask.default_config[name]:
            app.config[name] = value
    app.session_interface = browser_sessions = BrowserSessions(app, _store(folder, settings))
    app.before_request(_say_that_sessions_are_away)
    return browser_sessions


def cookie_name(folder: Path, settings: Settings) -> str:
    """Return a name of this fork's own: browsers send a host's cookies to all its ports.

    It follows from the folder; with Redis, which many folders share, from the redirect URI.
    """
    place = settings.redirect_uri if settings.redis_url else str(folder.resolve())
    return f"box_session_{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _cookie_path(settings: Settings) -> str | None:
    """Return the prefix under which visitors see the app, if the redirect URI tells of one."""
    return urlsplit(settings.redirect_uri).path.removesuffix("/callback") or None


def is_id(sid: str) -> bool:
    """Tell whether ``sid`` has the form of an id that we gave out: nothing else is looked for."""
    return re.fullmatch(r"[A-Za-z0-9_-]{43}", sid) is not None


class Store(Protocol):
    """Where sessions are kept, by their id. Any method may raise `StoreUnavailable`."""

    def get(self, sid: str) -> dict[Any, Any] | None: ...

    def set(self, sid: str, values: Mapping[Any, Any], seconds: float, *, only_if_there: bool = False) -> None: ...

    def delete(self, sid: str) -> None: ...

    def check_writable(self) -> None: ...


def _store(folder: Path, settings: Settings) -> Store:
    if settings.redis_url:
        from ..stores.redis import connect
        from .redis_sessions import RedisSessions

        return RedisSessions(connect(settings.redis_url), settings.redis_prefix, app_id(settings.client_id))
    return FileSessions(folder / "sessions", app_id(settings.client_id))


class Session(ServerSideSession):  # type: ignore[misc]
    """One browser's session. A value that could not be kept raises `TypeError` where it is set."""

    was_kept = False  # under the id that it has now, before this request

    def __setitem__(self, key: Any, value: Any) -> None:
        check(key, value)
        super().__setitem__(key, value)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            check(key, default)
        return super().setdefault(key, default)

    def update(self, values: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (), /, **more: Any) -> None:
        added = dict(values, **more)
        for key, value in added.items():
            check(key, value)
        super().update(added)

    def __ior__(self, values: Any) -> Session:
        self.update(values)
        return self


class BrowserSessions(ServerSideSessionInterface):  # type: ignore[misc]
    """Flask-Session's sessions; where they cannot be read, static files still answer."""

    session_class = Session

    def __init__(self, app: Flask, store: Store) -> None:
        super().__init__(app, key_prefix="")
        self._store = store

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` if no session could be saved now."""
        self._store.check_writable()

    def open_session(self, app: Flask, request: Request) -> Any:
        try:
            session = super().open_session(app, request)
            session.was_kept = session.sid == request.cookies.get(app.config["SESSION_COOKIE_NAME"])
            return session
        except StoreUnavailable as error:
            g.box_sessions_away = error
            return self.make_null_session(app)

    def regenerate(self, session: Any) -> None:
        """Give the session a new id. What was kept under the old one goes when the new one is kept, and not before."""
        if session:
            g.box_replaced_sid = session.sid
        session.was_kept = False
        session.sid = self._generate_sid(self.sid_length)
        session.modified = True

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        try:
            super().save_session(app, session, response)
            if "Cookie" in response.vary or "Set-Cookie" in response.headers:
                assets.keep_from_others(response)
            if old := g.pop("box_replaced_sid", ""):
                self._store.delete(old)
        except (StoreUnavailable, TypeError):  # the latter for what was put into a list after that was set
            session.modified = False  # the page that tells of it is saved no session, either
            g.pop("box_replaced_sid", None)
            raise

    def _retrieve_session_data(self, sid: str) -> dict[Any, Any] | None:
        values = self._store.get(sid) if is_id(sid) else None
        return values if values is not None and visitor.is_sound(values) else None

    def _upsert_session(self, session_lifetime: timedelta, session: Session, sid: str) -> None:
        # What was signed out while this page was made does not come back.
        self._store.set(sid, session, session_lifetime.total_seconds(), only_if_there=session.was_kept)

    def _delete_session(self, sid: str) -> None:
        self._store.delete(sid)


def _say_that_sessions_are_away() -> None:
    if "box_sessions_away" in g and request.endpoint != "static":
        raise cast(StoreUnavailable, g.box_sessions_away)


def own_secret_key(folder: Path) -> str:
    """Return the key in ``folder/secret_key``; the first process that asks makes it (mode 0600)."""
    path = folder / "secret_key"
    with private_files.named_errors(path.name):
        if not _has_text(path):
            with private_files.locked(path):
                if not _has_text(path):  # others may have made it meanwhile
                    private_files.write(path, secrets.token_urlsafe(32).encode())
        return path.read_text().strip()


def _has_text(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
