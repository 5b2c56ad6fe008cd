"""How many calls a user may make in a while."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from .locks import fork_safe_lock

# Box: guides, rate limits. How often, in how many seconds.
CALLS = (1000, 60)
UPLOADS = (240, 60)
SEARCHES = ((6, 1), (60, 60))
ENTERPRISE_SEARCHES = (12, 1)

_Limit = tuple[str, int, int]  # whose and what, how often, in how many seconds


class Limits:
    """Counts calls in this process, by the time it is told."""

    def __init__(self) -> None:
        self._lock = fork_safe_lock()
        self._calls: dict[_Limit, deque[float]] = {}

    def count(self, user: str, operation: str, now: float) -> int | None:
        """Count a call, or return the seconds to wait until it may be made."""
        with self._lock:
            limits = list(_limits(user, operation))
            wait = max(self._wait(limit, now) for limit in limits)
            if wait > 0:
                return max(1, math.ceil(wait))
            for limit in limits:
                self._calls[limit].append(now)
        return None

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def _wait(self, limit: _Limit, now: float) -> float:
        _, most, seconds = limit
        calls = self._calls.setdefault(limit, deque())
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        return calls[0] + seconds - now if len(calls) >= most else 0.0


def _limits(user: str, operation: str) -> Iterator[_Limit]:
    yield f"calls of {user}", *CALLS
    if operation in ("POST /files/content", "POST /files/:id/content"):
        yield f"uploads of {user}", *UPLOADS
    if operation == "GET /search":
        for limit in SEARCHES:
            yield f"searches of {user}", *limit
        yield "searches", *ENTERPRISE_SEARCHES
