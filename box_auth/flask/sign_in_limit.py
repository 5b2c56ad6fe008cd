"""The limit on sign-ins: one address may bring so many answers from Box a minute, as each costs calls to Box."""

from __future__ import annotations

import functools
import ipaddress
import math
import re
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from .. import signals
from ..config import Settings
from ..errors import BoxAuthError
from ..logs import own_logger
from ..stores.record import app_id
from . import pages

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import RateLimiter

SIGN_INS = "100 per minute"
_ADDRESS = re.compile(r"\[([^]]*)](?::\d+)?|([^:]*):\d+")  # with a port, or in brackets, as some proxies write it
_AWAY = 10.0  # seconds that a store which failed is left alone: else each sign-in would wait for it
_log = own_logger(__name__)


class SignInLimit:
    """Counts in Redis where there is one, else in this process. The app's own RATELIMIT_ENABLED, RATELIMIT_STORAGE_URI
    and RATELIMIT_STORAGE_OPTIONS win.

    What counts is imported and made when the first answer comes: no other page needs it, and it takes its time. Where
    it is not installed, the app does not start.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._enabled = app.config.get("RATELIMIT_ENABLED", True)
        self._uri: str = app.config.get("RATELIMIT_STORAGE_URI") or ""
        self._options: dict[str, Any] = app.config.get("RATELIMIT_STORAGE_OPTIONS") or {}
        self._settings = settings
        self._away_until = 0.0  # monotonic seconds
        if self._enabled and find_spec("limits") is None:
            raise ModuleNotFoundError("limits is not installed: install what requirements.txt lists", name="limits")

    def refusal(self) -> Response | None:
        """Count this request. Return the page that refuses it if its address has brought too many, else None."""
        if not self._enabled:
            return None
        visitor = _visitor()
        try:
            counts = self._counts if time.monotonic() >= self._away_until else self._own_counts
            within = counts.hit(self._most, visitor)
        except Exception as error:  # whatever a store raises: one that is away keeps nobody out
            self._away_until = time.monotonic() + _AWAY
            _log.warning("the store of the limit on sign-ins is away (%s): this process counts", type(error).__name__)
            counts = self._own_counts
            within = counts.hit(self._most, visitor)
        return None if within else _too_many(counts.get_window_stats(self._most, visitor).reset_time)

    @functools.cached_property
    def _most(self) -> RateLimitItem:
        from limits import parse

        return parse(SIGN_INS)

    @functools.cached_property
    def _counts(self) -> RateLimiter:
        if self._uri:
            return _counting_in(self._uri, **self._options)
        if not self._settings.redis_url:
            return self._own_counts
        from ..stores.redis import connect

        pool = connect(self._settings.redis_url).connection_pool
        prefix = f"{self._settings.redis_prefix}:{app_id(self._settings.client_id)}:limit"
        return _counting_in("redis://", connection_pool=pool, key_prefix=prefix)  # the pool knows the rest

    @functools.cached_property
    def _own_counts(self) -> RateLimiter:
        return _counting_in("memory://")


def _counting_in(uri: str, **options: Any) -> RateLimiter:
    from limits.storage import storage_from_string
    from limits.strategies import FixedWindowRateLimiter

    return FixedWindowRateLimiter(storage_from_string(uri, **options))


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


def _too_many(until: float) -> Response:
    signals.tell(signals.sign_in_refused, user_id="", code="too_many_sign_ins")
    page = pages.show(BoxAuthError("too_many_sign_ins"))
    page.headers["Retry-After"] = str(max(1, math.ceil(until - time.time())))
    return page
