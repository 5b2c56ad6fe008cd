"""What keeps hostile clients off: forwarded headers and hosts that count, small bodies. `sign_in_limit` does, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

from ..config import Settings
from ..logs import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 8 * 1024  # bytes that a request to one of _SMALL may have; sign-out's form has a hundred
_SMALL = frozenset({"/login", "/callback", "/logout"})
_PREFIX = re.compile(r"(/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")


def believe_only_trusted(app: Flask, settings: Settings) -> None:
    """Have forwarded headers count for the trusted proxies alone, and only trusted hosts be answered, if any are named;
    the app's own TRUSTED_HOSTS win."""
    if hops := settings.trusted_proxies:
        behind = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)
        app.wsgi_app = PlainHeaders(behind)  # type: ignore[method-assign]
    if settings.trusted_hosts and not app.config["TRUSTED_HOSTS"]:
        app.config["TRUSTED_HOSTS"] = list(settings.trusted_hosts)
    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_other_hosts)


def _refuse_other_hosts() -> None:
    """Raise what Flask found out, before any hook of the app's own: Flask itself would call those first."""
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception


def refuse_large_bodies(app: Flask) -> None:
    """Have sign-in and sign-out refuse large bodies before anything reads them, what the app registered itself too, and
    all pages plain forms that are larger than Flask's MAX_FORM_MEMORY_SIZE: Werkzeug would take them into memory whole,
    four times over, to look for the form's token."""
    app.before_request_funcs.setdefault(None, []).insert(0, _allow_little)


def _allow_little() -> None:
    most = request.max_form_memory_size if request.mimetype == "application/x-www-form-urlencoded" else None
    if request.path in _SMALL:
        most = LARGEST_BODY
    if most is not None:
        request.max_content_length = min(most, request.max_content_length or most)
        if (request.content_length or 0) > request.max_content_length:
            raise RequestEntityTooLarge


class PlainHeaders:
    """Drops an X-Forwarded-Prefix that is no path of plain segments, as it begins each of a page's links and redirects,
    and takes out of an X-Forwarded-For what could steer a terminal, as servers log it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefixes = environ.get("HTTP_X_FORWARDED_PREFIX", "").split(",")
        if not all(_PREFIX.fullmatch(prefix.strip()) for prefix in prefixes):
            del environ["HTTP_X_FORWARDED_PREFIX"]
        if addresses := environ.get("HTTP_X_FORWARDED_FOR"):
            environ["HTTP_X_FORWARDED_FOR"] = printable(addresses)
        return self._app(environ, start_response)
