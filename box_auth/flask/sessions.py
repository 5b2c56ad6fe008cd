"""Browser sessions on the server: who is signed in and which sign-ins are under way. Never tokens, never pickle."""

from __future__ import annotations

import os
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast

from cachelib import FileSystemCache
from cachelib.base import BaseCache
from cachelib.serializers import JSONSerializer
from flask import Flask, Request, Response, g, request
from flask_session.cachelib import CacheLibSessionInterface

from ..config import Settings
from ..errors import StoreUnavailable

LIFETIME = timedelta(days=60)  # as long as Box's refresh tokens
_SWEEP = 3600.0  # seconds between two clean-ups of expired files by one process


def install(app: Flask, folder: Path, settings: Settings) -> None:
    """Give ``app`` server-side sessions, in Redis or as JSON files in ``folder``, and a secret key if it has none."""
    app.secret_key = app.secret_key or settings.secret_key or own_secret_key(folder)
    app.config.update(
        SESSION_REFRESH_EACH_REQUEST=False,  # a request that only reads writes nothing
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        SESSION_COOKIE_NAME="box_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # the way back from Box is a link from another site
        SESSION_COOKIE_SECURE=settings.redirect_uri.startswith("https:"),
    )
    app.session_interface = _Sessions(app, _cache(folder, settings), key_prefix="box:session:")
    app.before_request(_say_that_sessions_are_away)


def _cache(folder: Path, settings: Settings) -> BaseCache:
    if settings.redis_url:
        from ..stores.redis import connect
        from .redis_sessions import RedisSessions

        return RedisSessions(connect(settings.redis_url))
    return SessionFiles(folder / "sessions")


class _Sessions(CacheLibSessionInterface):  # type: ignore[misc]
    """Flask-Session's sessions; where they cannot be read, requests that need none still work."""

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
    try:
        if not path.exists() or not path.stat().st_size:
            _make_private(folder)
            draft = folder / f".secret_key.{secrets.token_hex(8)}"
            with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
            try:
                if path.exists():  # but empty: no key at all
                    path.unlink(missing_ok=True)
                os.link(draft, path)  # whole at once, and never over another process's
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise StoreUnavailable("store_unavailable", f"{path.name}: {error.strerror}.") from None


class _Json(JSONSerializer):
    """JSON objects only: a pickle, or anything else that was put there, reads as no session at all."""

    def load(self, f: IO[bytes], *args: Any, **kwargs: Any) -> Any:
        value = super().load(f, *args, **kwargs)
        return value if isinstance(value, dict) else None


class SessionFiles(FileSystemCache):
    """cachelib's file cache without its surprises for sessions: no live one is evicted, none is a pickle, expired
    ones are cleared away, and one that cannot be written is an error."""

    serializer = _Json()  # type: ignore[assignment]

    def __init__(self, folder: Path) -> None:
        _make_private(folder)
        super().__init__(str(folder), threshold=0, mode=0o600)
        self._folder = folder
        self._swept = 0.0

    def set(self, key: str, value: Any, timeout: Any = None, mgmt_element: bool = False) -> bool:
        _make_private(self._folder)  # again, if somebody removed it to start over
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


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable("store_unavailable", f"{folder.name}: {error.strerror}.") from None
