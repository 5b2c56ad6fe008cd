"""Comments on files."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from .clock import Clock
from .database import Database
from .items import Item


@dataclass(frozen=True)
class Comment:
    """``reply_to`` is the id of the comment that this one answers. Times are seconds since 1970."""

    id: str
    item: str
    author: str
    message: str
    tagged_message: str
    reply_to: str | None
    created_at: float
    modified_at: float


class Comments:
    """All comments."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, comment_id: str) -> Comment | None:
        row = self._database.row("SELECT * FROM comments WHERE id = ?", comment_id)
        return _comment(row) if row else None

    def of(self, file: Item, limit: int, offset: int) -> list[Comment]:
        query = "SELECT * FROM comments WHERE item = ? ORDER BY id LIMIT ? OFFSET ?"
        return [_comment(row) for row in self._database.rows(query, file.id, limit, offset)]

    def count(self, file: Item) -> int:
        row = self._database.row("SELECT COUNT(*) FROM comments WHERE item = ?", file.id)
        return int(row[0]) if row else 0

    def add(
        self,
        file: Item,
        author: str,
        message: str,
        tagged: str = "",
        reply_to: str | None = None,
        *,
        at: float | None = None,
    ) -> Comment:
        """Add a comment, ``at`` a time, or now."""
        now = self._clock.now() if at is None else at
        with self._database.transaction() as transaction:
            comment_id = transaction.execute(
                "INSERT INTO comments (item, author, message, tagged_message, reply_to, created_at, modified_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (file.id, author, message, tagged, reply_to, now, now),
            ).lastrowid
        return Comment(str(comment_id), file.id, author, message, tagged, reply_to, now, now)

    def change(self, comment: Comment, message: str) -> None:
        with self._database.transaction() as transaction:
            statement = "UPDATE comments SET message = ?, modified_at = ? WHERE id = ?"
            transaction.execute(statement, (message, self._clock.now(), comment.id))

    def delete(self, comment: Comment) -> None:
        """Delete a comment with the replies to it."""
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM comments WHERE id = ? OR reply_to = ?", (comment.id, comment.id))


def _comment(row: sqlite3.Row) -> Comment:
    reply_to = str(row["reply_to"]) if row["reply_to"] else None
    ids = str(row["id"]), str(row["item"]), str(row["author"])
    return Comment(*ids, row["message"], row["tagged_message"], reply_to, row["created_at"], row["modified_at"])
