"""The WSGI applications: which routes are served where."""

from __future__ import annotations

import secrets
import sqlite3
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from . import access, api, authorize, cors, downloads, oauth, own_port, previews, switches, zips
from .apps import LOOPBACK
from .errors import REQUEST_ID, ApiError, OAuthError, not_implemented
from .traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .emulator import Emulator


def whole_app(emulator: Emulator, download_url: str) -> WSGIApplication:
    """What the emulator serves when it runs alone: everything but downloads."""
    return _watched(_at_both_hosts(_for(emulator, _whole(), download_url)), emulator)


def api_app(emulator: Emulator, download_url: str) -> WSGIApplication:
    """What an app's server talks to: tokens and the content API."""
    return _watched(_at_both_hosts(_for(emulator, _api(), download_url)), emulator)


def demo_app(emulator: Emulator, download_url: str) -> WSGIApplication:
    """What plays Box for an app on another port: tokens, the content API and the consent page, but no switches."""
    return _watched(_at_both_hosts(_back_to_the_app(_for(emulator, _demo(), download_url))), emulator)


def pages_app(emulator: Emulator) -> WSGIApplication:
    """What a browser sees of Box when it signs in."""
    return _for(emulator, _pages())


def app_pages(emulator: Emulator) -> WSGIApplication:
    """What a browser has of Box on the port of the app that embeds it: the consent page, and for pages of the app the
    content API and downloads."""
    return _at_both_hosts(_for(emulator, _app_pages()))


def download_app(emulator: Emulator) -> WSGIApplication:
    """The second host, which serves file contents to whoever has a signed address."""
    return _watched(_for(emulator, _downloads()), emulator)


def _watched(app: WSGIApplication, emulator: Emulator) -> WSGIApplication:
    return Traffic(app, emulator.faults, emulator.requests)


def _at_both_hosts(app: WSGIApplication) -> WSGIApplication:
    """Take ``/api/2.0``, as at upload.box.com, for ``/2.0``, as at api.box.com."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        return app({**environ, "PATH_INFO": path[4:]} if path.startswith("/api/2.0/") else environ, start_response)

    return call


def _back_to_the_app(app: WSGIApplication) -> WSGIApplication:
    """Send the browser to the place that was asked for, if it is on this machine, where ``app`` names a path only."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = parse_qs(str(environ["QUERY_STRING"])).get("redirect_uri", [""])[0]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            leads_on = [(name, urljoin(asked, value) if name == "Location" else value) for name, value in headers]
            return start_response(status, leads_on, exc_info)

        return app(environ, start if _is_here(asked) else start_response)

    return call


def _is_here(address: str) -> bool:
    try:
        return urlsplit(address).hostname in LOOPBACK
    except ValueError:  # such as an unclosed bracket
        return False


def _for(emulator: Emulator, app: Flask, download_url: str = "") -> WSGIApplication:
    """Let the app answer for this emulator; `here` finds it. One app is enough for all emulators of a process."""
    more = {"box_emulator.emulator": emulator, "box_emulator.download_url": download_url}

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app(environ | more, start_response)

    return call


@cache  # Werkzeug takes longer to prepare the routes than the emulator to start
def _whole() -> Flask:
    app = _app(oauth.routes, authorize.routes, switches.routes)
    return _with_content(app)


@cache
def _api() -> Flask:
    return _with_content(_app(oauth.routes))


@cache
def _demo() -> Flask:
    return _with_content(_app(oauth.routes, authorize.routes))


@cache
def _pages() -> Flask:
    return _app(authorize.routes)


@cache
def _app_pages() -> Flask:
    app = _app(authorize.routes, downloads.routes)
    app.before_request(own_port.check)
    return _with_content(app)


@cache
def _downloads() -> Flask:
    app = _app(downloads.routes, previews.routes, zips.routes)
    app.before_request(cors.for_all)
    return app


def _with_content(app: Flask) -> Flask:
    app.before_request(access.check)
    app.register_blueprint(api.routes, url_prefix="/2.0")
    return app


def _app(*routes: Blueprint) -> Flask:
    app = Flask("box_emulator", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # Box gives OPTIONS a meaning of its own
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    app.url_map.strict_slashes = False
    app.after_request(cors.open_up)
    app.after_request(_with_id)
    app.register_error_handler(ApiError, ApiError.response)
    app.register_error_handler(OAuthError, OAuthError.response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(sqlite3.OperationalError, _database_error)
    for group in routes:
        app.register_blueprint(group)
    return app


def _with_id(response: Response) -> Response:
    response.headers.setdefault(REQUEST_ID, secrets.token_hex(8))
    return response


def _database_error(error: sqlite3.OperationalError) -> Response:
    """503 if the database is locked by somebody else, or cannot be written."""
    response = ApiError(503, f"The emulator's database cannot be used: {error}").response()
    response.headers["Retry-After"] = "1"
    return response


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, NotFound | MethodNotAllowed):
        return not_implemented(request.method, request.path).response()
    return ApiError(error.code or 500).response()
