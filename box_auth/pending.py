"""A sign-in under way: what is remembered of it until Box's answer comes, and the signed cookie that remembers it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

LOGIN_SECONDS = 600.0  # how long a sign-in that was begun may take


@dataclass(frozen=True)
class PendingLogin:
    """A sign-in that was begun: its one-use ``state``, when (seconds since 1970), and where to go afterwards."""

    state: str = field(repr=False)
    begun_at: float
    next: str = ""


def login_cookie(pending: PendingLogin, keys: Sequence[str | bytes]) -> tuple[str, str]:
    """Return name and value of the cookie that remembers ``pending``, signed with the last of ``keys``.

    Each sign-in has one of its own, so that tabs do not lose each other's. It should be HttpOnly, SameSite Lax, and
    live `LOGIN_SECONDS` on the callback's path. It is short, because forty of them must fit into one request.
    """
    return _name(pending.state), _signer(pending.state, keys).dumps([int(pending.begun_at), pending.next])


def pending_login(state: str, cookies: Mapping[str, str], keys: Sequence[str | bytes]) -> PendingLogin | None:
    """Return the sign-in with this ``state`` that ``cookies`` remember, or None; any of ``keys`` may have signed it.

    One that was finished is remembered still: `Flow.finish` knows that it was.
    """
    try:
        values: Any = _signer(state, keys).loads(cookies.get(_name(state), ""))
    except BadData:  # none, or forged, cut off, another app's
        return None
    match values:
        case [int(begun_at), str(next)] if not isinstance(begun_at, bool) and 0 <= begun_at < 1 << 40:
            return PendingLogin(state, begun_at, next)
    return None


def to_bytes(state: str) -> bytes:
    """Return a state as bytes, whatever was sent as one."""
    return state.encode("utf-8", "surrogatepass")


def _name(state: str) -> str:
    return f"box_login_{hashlib.sha256(to_bytes(state)).hexdigest()[:16]}"


def _signer(state: str, keys: Sequence[str | bytes]) -> URLSafeSerializer:
    """The salt binds a cookie to its state, which is not in it."""
    return URLSafeSerializer(list(keys), salt=b"box login " + to_bytes(state))  # type: ignore[arg-type]
