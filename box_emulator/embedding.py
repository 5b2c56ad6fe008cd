"""The emulator inside an app, for a demo that needs nothing else: no account, no second port to open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from .database import Database, WrongDatabase
from .emulator import Emulator
from .serving import Server
from .web import api_app, app_pages, demo_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask

PREFIX = "/_box"


def embed(app: Flask, folder: Path) -> dict[str, str]:
    """Run an emulator for ``app`` with its data in ``folder``, and return the settings under which to use it.

    Below ``/_box`` on the app's own port, visitors reach the consent page, and pages of the app the content API, with
    tokens that were exchanged for fewer scopes; ``app.config["BOX_ELEMENTS_API"]`` is that path. For the app's own
    calls the API listens on loopback. There are no switches. Several processes may embed the same folder; a server
    that forks after this call works too. ``app.extensions["box_emulator"]`` is the `Server`. Data of another version
    is set aside, as ``box.sqlite3.old``, and new data made up.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    emulator = _emulator(folder / "box.sqlite3")
    server = Server(emulator, "127.0.0.1", 0, 0, api_app)
    server.start()
    app.extensions["box_emulator"] = server
    app.config["BOX_ELEMENTS_API"] = PREFIX
    mounted = DispatcherMiddleware(app.wsgi_app, {PREFIX: app_pages(emulator)})
    app.wsgi_app = _Awake(mounted, server)  # type: ignore[method-assign] # Flask's way to add middleware
    return server.settings | {"BOX_AUTHORIZE_URL": f"{PREFIX}/api/oauth2/authorize"}


def stand_in(folder: Path) -> dict[str, str]:
    """Run an emulator beside an app that is not Flask's, on a port of its own, and return the settings to use it.

    It is `embed`'s, on the same data: what a browser sees of it leads back to apps of this machine only.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = Server(_emulator(folder / "box.sqlite3"), "127.0.0.1", 0, 0, demo_app)
    server.start()
    return server.settings


def _emulator(file: Path) -> Emulator:
    try:
        return Emulator(file, redirect_uris=["/callback"])
    except WrongDatabase:
        with closing(sqlite3.connect(file.with_name("setting-aside"), isolation_level=None)) as alone:
            alone.execute("BEGIN EXCLUSIVE")  # of several workers that start at once, one does it
            _set_aside(file)
            return Emulator(file, redirect_uris=["/callback"])


def _set_aside(file: Path) -> None:
    try:
        Database(file).close()  # another worker was faster
    except WrongDatabase:
        for ending in ("", "-wal", "-shm"):
            part = file.with_name(file.name + ending)
            if part.exists():
                part.replace(file.with_name(f"{file.name}.old{ending}"))


class _Awake:
    """Sees to it that the emulator runs in the process that answers, even if that was forked after `embed`."""

    def __init__(self, app: WSGIApplication, server: Server) -> None:
        self._app = app
        self._server = server

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._server.start()
        return self._app(environ, start_response)
