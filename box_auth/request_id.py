"""The id of the request that this code works for: in its answer, in log lines, and in what is sent to Box for it."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "X-Request-ID"  # Box documents no header of its own for the caller's id
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_current: ContextVar[str] = ContextVar("box_request_id", default="")


def current() -> str:
    """Return the id of the request that is being served, empty outside of one. `box.at_once` and refreshes keep it."""
    return _current.get()


def use(name: str) -> None:
    """Make ``name`` the id from here on, in this thread's context; empty ends it. A door of your own calls this."""
    _current.set(name)


def choose(asked: str) -> str:
    """Return the id that a trusted proxy ``asked`` for if it is plain, or a new one."""
    return asked if _PLAIN.fullmatch(asked) else secrets.token_hex(8)
