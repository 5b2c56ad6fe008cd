"""The WSGI applications: which routes are served where."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from . import access, api, authorize, cors, downloads, oauth, switches
from .errors import ApiError, OAuthError, not_implemented
from .traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .emulator import Emulator


def whole_app(emulator: Emulator, download_url: str) -> Flask:
    """What the emulator serves when it runs alone: everything but downloads."""
    app = api_app(emulator, download_url)
    app.register_blueprint(authorize.routes)
    app.register_blueprint(switches.routes)
    return app


def api_app(emulator: Emulator, download_url: str) -> Flask:
    """What an app's server talks to: tokens and the content API."""
    app = _app(emulator)
    app.config["DOWNLOAD_URL"] = download_url
    app.before_request(access.check)
    app.register_blueprint(oauth.routes)
    app.register_blueprint(api.routes, url_prefix="/2.0")
    app.wsgi_app = _watched(_at_both_hosts(app.wsgi_app), emulator)  # type: ignore[method-assign] # Flask's way
    return app


def pages_app(emulator: Emulator) -> Flask:
    """What a browser sees of Box when it signs in."""
    app = _app(emulator)
    app.register_blueprint(authorize.routes)
    return app


def download_app(emulator: Emulator) -> Flask:
    """The second host, which serves file contents to whoever has a signed address."""
    app = _app(emulator)
    app.before_request(cors.for_all)
    app.register_blueprint(downloads.routes)
    app.wsgi_app = _watched(app.wsgi_app, emulator)  # type: ignore[method-assign]
    return app


def _watched(app: WSGIApplication, emulator: Emulator) -> Traffic:
    return Traffic(app, emulator.faults, emulator.requests)


def _at_both_hosts(app: WSGIApplication) -> WSGIApplication:
    """Take ``/api/2.0``, as at upload.box.com, for ``/2.0``, as at api.box.com."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        return app({**environ, "PATH_INFO": path[4:]} if path.startswith("/api/2.0/") else environ, start_response)

    return call


def _app(emulator: Emulator) -> Flask:
    app = Flask("box_emulator", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # Box gives OPTIONS a meaning of its own
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    app.url_map.strict_slashes = False
    app.extensions["box_emulator"] = emulator
    app.after_request(cors.open_up)
    app.register_error_handler(ApiError, ApiError.response)
    app.register_error_handler(OAuthError, OAuthError.response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(sqlite3.OperationalError, _database_error)
    return app


def _database_error(error: sqlite3.OperationalError) -> Response:
    """503 if the database is locked by somebody else, or cannot be written."""
    response = ApiError(503, f"The emulator's database cannot be used: {error}").response()
    response.headers["Retry-After"] = "1"
    return response


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, NotFound | MethodNotAllowed):
        return not_implemented(request.method, request.path).response()
    return ApiError(error.code or 500).response()
