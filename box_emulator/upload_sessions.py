"""Uploads in parts: sessions that live for days, and the parts that have come."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from .clock import Clock
from .contents import Contents, Draft
from .database import Database
from .errors import ApiError, bad_parameter, not_found, refused

LIFETIME = 7 * 86400  # Box: guides, chunked uploads
MIN_SIZE = 20_000_000  # Box: guides, chunked uploads
PART_SIZE = 8 << 20


@dataclass(frozen=True)
class Session:
    """``item`` is the file that gets a new version, None for a new file. Sizes in bytes."""

    id: str
    user: str
    item: str | None
    parent: str
    name: str
    size: int
    expires_at: float

    @property
    def total_parts(self) -> int:
        return -(-self.size // PART_SIZE)


@dataclass(frozen=True)
class Part:
    """A part that has come; it never changes."""

    id: str
    start: int
    size: int
    sha1: str


class UploadSessions:
    """All sessions that are neither committed nor aborted."""

    def __init__(self, database: Database, clock: Clock, contents: Contents) -> None:
        self._database = database
        self._clock = clock
        self._contents = contents

    def start(self, user: str, item: str | None, parent: str, name: str, size: int) -> Session:
        """Begin an upload, and forget those that were never finished."""
        if size < MIN_SIZE:
            raise refused("file_size_too_small")
        now = self._clock.now()
        session = Session(secrets.token_hex(16).upper(), user, item, parent, name, size, now + LIFETIME)
        for row in self._database.rows("SELECT id FROM sessions WHERE expires_at < ?", now - LIFETIME):
            self.end(row["id"])
        with self._database.transaction() as transaction:
            values = (session.id, user, item, parent, name, size, session.expires_at)
            transaction.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, 0)", values)
        return session

    def get(self, user: str, session_id: str, *, committed: bool = False) -> Session:
        """Return a session of the user, or raise Box's error (guides, common errors).

        One that was ``committed`` is found only if asked for.
        """
        row = self._database.row("SELECT * FROM sessions WHERE id = ?", session_id)
        if row is None or (row["committed"] and not committed):
            raise not_found("upload_session", session_id[:100])
        if str(row["user"]) != user:
            raise ApiError(403, "Only who began the upload session may use it")
        if row["expires_at"] <= self._clock.now():
            raise refused("session_expired")
        item = str(row["item"]) if row["item"] else None
        return Session(row["id"], user, item, str(row["parent"]), row["name"], row["size"], row["expires_at"])

    def parts(self, session: Session) -> list[Part]:
        """Return what has come, in the order of the file."""
        query = "SELECT id, start, size, sha1 FROM parts WHERE session = ? ORDER BY start"
        return [_part(row) for row in self._database.rows(query, session.id)]

    def check_range(self, session: Session, start: int, end: int, total: int) -> None:
        """Box: parts begin at multiples of the part size and are as large, but for the last (OpenAPI)."""
        whole = end - start + 1 == min(PART_SIZE, session.size - start)
        if total != session.size or start % PART_SIZE or not whole:
            raise refused("invalid_range")

    def put(self, session: Session, start: int, draft: Draft) -> Part:
        """Store a part. The same part again is no error, another at its place is (OpenAPI)."""
        with self._database.transaction() as transaction:
            query = "SELECT id, start, size, sha1 FROM parts WHERE session = ? AND start = ?"
            if row := self._database.row(query, session.id, start):
                if row["sha1"] != draft.sha1:
                    raise refused("range_overlaps_existing_range")
                return _part(row)
            part = Part(secrets.token_hex(4).upper(), start, draft.size, self._contents.keep(draft))
            values = (session.id, start, part.size, part.sha1, part.id)
            transaction.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", values)
        return part

    def join(self, session: Session, named: Iterable[object], draft: Draft) -> None:
        """Write the whole file into a draft, from the parts that the client names: all, in order."""
        parts = self.parts(session)
        if list(named) != [part.id for part in parts] or sum(part.size for part in parts) != session.size:
            raise bad_parameter("parts", "", "They are not those that were uploaded, or do not make the whole file.")
        self._contents.join((part.sha1 for part in parts), draft)

    def finish(self, session: Session) -> None:
        """Remember of a session only that it was committed, so that a client may still delete it."""
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE sessions SET committed = 1 WHERE id = ?", (session.id,))
            gone = transaction.execute("DELETE FROM parts WHERE session = ? RETURNING sha1", (session.id,)).fetchall()
        self._contents.forget(row["sha1"] for row in gone)

    def end(self, session_id: str) -> None:
        """Forget a session and its parts."""
        gone = self._database.rows("SELECT sha1 FROM parts WHERE session = ?", session_id)
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM parts WHERE session = ?", (session_id,))
            transaction.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
        self._contents.forget(row["sha1"] for row in gone)


def _part(row: sqlite3.Row) -> Part:
    return Part(row["id"], row["start"], row["size"], row["sha1"])
