"""What keeps hostile clients off: forwarded headers and hosts that count, small bodies, a limit on sign-ins."""

from __future__ import annotations

import ipaddress
import math
import re
import time
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from flask_limiter import Limiter, RequestLimit
from werkzeug.exceptions import RequestEntityTooLarge, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

from .. import signals
from ..config import Settings
from ..errors import BoxAuthError
from ..logs import printable
from ..stores.record import app_id
from . import pages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 8 * 1024  # bytes that a request to one of _SMALL may have; sign-out's form has a hundred
SIGN_INS = "100 per minute"  # answers from Box that one address may bring; each costs calls to Box
_SMALL = frozenset({"/login", "/callback", "/logout"})
_ADDRESS = re.compile(r"\[([^]]*)](?::\d+)?|([^:]*):\d+")  # with a port, or in brackets, as some proxies write it
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


def sign_in_limiter(app: Flask, settings: Settings) -> Limiter | None:
    """Return what limits the sign-ins of one address. It counts in Redis where there is one, else in this process.

    The app's own RATELIMIT_… settings win. It looks at the callback alone, so that a limiter of the app's own, and
    limits in those settings, are for the app's pages as they would be without it.
    """
    if not app.config.get("RATELIMIT_ENABLED", True):
        return None
    where: dict[str, Any] = {}
    if not app.config.get("RATELIMIT_STORAGE_URI"):
        where = {"storage_uri": "memory://"}
        if settings.redis_url:
            from ..stores.redis import connect

            pool = connect(settings.redis_url).connection_pool
            prefix = f"{settings.redis_prefix}:{app_id(settings.client_id)}:limit"
            where = {
                "storage_uri": "redis://",  # the pool knows the rest
                "storage_options": {"connection_pool": pool, "key_prefix": prefix},
            }
    limiter = Limiter(
        _visitor,
        key_prefix="box",
        on_breach=_too_many,
        in_memory_fallback_enabled=True,  # a store that is away keeps nobody out
        swallow_errors=True,
        **where,
    )
    limiter.request_filter(lambda: request.endpoint != "box.callback")
    limiter.init_app(app)
    return limiter


def _visitor() -> str:
    """Return what one visitor's sign-ins count under: an IPv4 address, the /64 of an IPv6 one, as a home or a machine
    has at least that, and one key for all that is neither."""
    text = request.remote_addr or ""
    if found := _ADDRESS.fullmatch(text):
        text = found[1] or found[2] or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Address(int(address) >> 64 << 64))
    return str(address)


def _too_many(limit: RequestLimit) -> Response:
    signals.tell(signals.sign_in_refused, user_id="", code="too_many_sign_ins")
    page = pages.show(BoxAuthError("too_many_sign_ins"))
    page.headers["Retry-After"] = str(max(1, math.ceil(limit.window.reset_time - time.time())))
    return page


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
