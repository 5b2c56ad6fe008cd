"""Recent items: the files that a user touched last."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Clock
from .database import Database

_KEPT = 90 * 86400  # Box: 90 days, 1000 items (OpenAPI, get_recent_items)


@dataclass(frozen=True)
class Recent:
    """What the user did last with an item, and when, in seconds since 1970."""

    item: str
    type: str
    at: float


class Recents:
    """What all users did last."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, user: str, item_id: str, type: str, *, at: float | None = None) -> None:
        """Note one of Box's kinds of interaction: ``item_upload``, ``item_modify``, ``item_comment``, ``item_open``."""
        with self._database.transaction() as transaction:
            values = (user, item_id, type, self._clock.now() if at is None else at)
            transaction.execute("INSERT OR REPLACE INTO recents VALUES (?, ?, ?, ?)", values)

    def of(self, user: str, limit: int, offset: int) -> list[Recent]:
        """Return what is not in the trash, newest first."""
        rows = self._database.rows(
            "SELECT item, recents.type, at FROM recents JOIN items ON items.id = item"
            " WHERE user = ? AND trash IS NULL AND at > ? ORDER BY at DESC, item LIMIT ? OFFSET ?",
            user,
            self._clock.now() - _KEPT,
            limit,
            offset,
        )
        return [Recent(str(row[0]), row[1], row[2]) for row in rows]
