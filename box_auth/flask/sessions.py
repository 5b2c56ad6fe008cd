"""Browser sessions on the server: who is signed in and which sign-ins are under way. Never tokens, never pickle."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from cachelib import FileSystemCache
from cachelib.base import BaseCache
from flask import Flask, Request, Response, g, request
from flask_session.cachelib import CacheLibSessionInterface

from .. import private_files
from ..config import Settings
from ..errors import StoreUnavailable
from .session_json import SessionJson

LIFETIME = timedelta(days=60)  # as long as Box's refresh tokens
_SWEEP = 3600.0  # seconds between two clean-ups of expired files by one process


def install(app: Flask, folder: Path, settings: Settings) -> None:
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
    app.session_interface = _Sessions(app, _cache(folder, settings), key_prefix="box:session:")
    app.before_request(_say_that_sessions_are_away)


def cookie_name(folder: Path, settings: Settings) -> str:
    """Return a name of this fork's own: browsers send a host's cookies to all its ports.

    It follows from the folder; with Redis, which many folders share, from the redirect URI.
    """
    place = settings.redirect_uri if settings.redis_url else str(folder.resolve())
    return f"box_session_{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _cookie_path(settings: Settings) -> str | None:
    """Return the prefix under which visitors see the app, if the redirect URI tells of one."""
    return urlsplit(settings.redirect_uri).path.removesuffix("/callback") or None


def _cache(folder: Path, settings: Settings) -> BaseCache:
    if settings.redis_url:
        from ..stores.redis import connect
        from .redis_sessions import RedisSessions

        return RedisSessions(connect(settings.redis_url))
    return SessionFiles(folder / "sessions")


class _Sessions(CacheLibSessionInterface):  # type: ignore[misc]
    """Flask-Session's sessions; where they cannot be read, static files and /healthz still answer."""

    def open_session(self, app: Flask, request: Request) -> Any:
        try:
            return super().open_session(app, request)
        except StoreUnavailable as error:
            g.box_sessions_away = error
            return self.make_null_session(app)

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        try:
            super().save_session(app, session, response)
        except StoreUnavailable:
            session.modified = False  # the page that tells of it is saved no session, either
            raise


def _say_that_sessions_are_away() -> None:
    if "box_sessions_away" in g and request.endpoint not in ("static", "box.ready"):
        raise cast(StoreUnavailable, g.box_sessions_away)


def own_secret_key(folder: Path) -> str:
    """Return the key in ``folder/secret_key``; the first process that asks makes it (mode 0600)."""
    path = folder / "secret_key"
    with private_files.named_errors(path.name), private_files.locked(path):
        if not path.exists() or not path.stat().st_size:
            private_files.write(path, secrets.token_urlsafe(32).encode())
        return path.read_text().strip()


class SessionFiles(FileSystemCache):
    """cachelib's file cache without its surprises for sessions: no live one is evicted, none is a pickle, expired
    ones are cleared away, and one that cannot be written is an error."""

    serializer = SessionJson()  # type: ignore[assignment]

    def __init__(self, folder: Path) -> None:
        with private_files.named_errors(folder.name):
            private_files.make_folder(folder)
        super().__init__(str(folder), threshold=0, mode=0o600)
        self._folder = folder
        self._swept = 0.0

    def set(self, key: str, value: Any, timeout: Any = None, mgmt_element: bool = False) -> bool:
        with private_files.named_errors(self._folder.name):
            private_files.make_folder(self._folder)  # again, if somebody removed it to start over
        if not super().set(key, value, timeout, mgmt_element):
            raise StoreUnavailable("store_unavailable", f"{self._folder.name}: the session could not be written.")
        return True

    def _prune(self) -> None:  # cachelib calls it before each write
        now = time.time()
        if now - self._swept < _SWEEP:
            return
        self._swept = now
        self._remove_expired(now)
        for left in self._folder.glob(f"*{self._fs_transaction_suffix}"):  # by processes that died while writing
            try:
                if now - left.stat().st_mtime > _SWEEP:
                    left.unlink()
            except FileNotFoundError:
                pass
