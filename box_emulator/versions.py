"""Versions of files: every upload makes one, and the newest is what the file holds."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from .clock import Clock
from .contents import Contents
from .database import Database
from .errors import not_found, refused
from .items import ROOT, Item, Items
from .names import name_key


@dataclass(frozen=True)
class Version:
    """What a file held once, or holds now. Times are seconds since 1970."""

    id: str
    item: str
    number: int
    name: str
    size: int
    sha1: str
    created_at: float
    modified_at: float
    trashed_at: float | None
    restored_at: float | None


class Versions:
    """All versions of all files, and the space they take."""

    def __init__(self, database: Database, clock: Clock, items: Items, contents: Contents) -> None:
        self._database = database
        self._clock = clock
        self._items = items
        self._contents = contents

    def get(self, file: Item, version_id: str) -> Version:
        """Return a version of the file, or raise Box's 404."""
        row = self._database.row("SELECT * FROM versions WHERE id = ? AND item = ?", version_id, file.id)
        if row is None:
            raise not_found("file_version", version_id)
        return _version(row)

    def past(self, file: Item, limit: int, offset: int) -> tuple[list[Version], int]:
        """Return the versions before the current one, newest first, and how many there are (OpenAPI)."""
        condition = "FROM versions WHERE item = ? AND id <> ?"
        rows = self._database.rows(
            f"SELECT * {condition} ORDER BY number DESC LIMIT ? OFFSET ?", file.id, file.version, limit, offset
        )
        total = self._database.row(f"SELECT COUNT(*) {condition}", file.id, file.version)
        return [_version(row) for row in rows], total[0] if total else 0

    def add(self, file: Item, sha1: str, size: int, at: float | None = None) -> None:
        """Make kept content the newest version of a file, ``at`` a time. Call it in a transaction."""
        now = self._clock.now() if at is None else at
        self.charge(file.owner, size)
        with self._database.transaction() as transaction:
            number = transaction.execute("SELECT MAX(number) FROM versions WHERE item = ?", (file.id,)).fetchone()[0]
            version = transaction.execute(
                "INSERT INTO versions (item, number, name, size, sha1, created_at, modified_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (file.id, (number or 0) + 1, file.name, size, sha1, now, now),
            ).lastrowid
            self.grow(file.owner, file.parent, size - file.size)
            transaction.execute(
                "UPDATE items SET version = ?, sha1 = ?, size = ? WHERE id = ?", (version, sha1, size, file.id)
            )

    def promote(self, file: Item, version_id: str) -> Version:
        """Put a copy of an old version on top, with the name it had (OpenAPI, post_files_id_versions_current).

        The name has to be free: see `Tree.check_free`.
        """
        with self._database.transaction() as transaction:
            old = self.get(file, version_id)
            if old.trashed_at is not None:
                raise refused("trashed")
            self.add(file._replace(name=old.name), old.sha1, old.size)
            statement = "UPDATE items SET etag = etag + 1, modified_at = ?, name = ?, name_key = ? WHERE id = ?"
            transaction.execute(statement, (self._clock.now(), old.name, name_key(old.name), file.id))
            current = self._items.find(file.id)
            assert current is not None and current.version  # noqa: S101, PT018 - it was there a moment ago
            return self.get(current, current.version)

    def bin(self, file: Item, version_id: str, *, trashed: bool) -> Version:
        """Put an old version into the trash, or take it out."""
        with self._database.transaction() as transaction:
            version = self.get(file, version_id)
            if version.id == file.version:
                raise refused("access_denied_insufficient_permissions", "The current version cannot be deleted")
            if trashed == (version.trashed_at is not None):
                raise refused("trashed" if trashed else "not_trashed")
            now = self._clock.now()
            values = (now, None) if trashed else (None, now)
            transaction.execute(
                "UPDATE versions SET trashed_at = ?, restored_at = ? WHERE id = ?", (*values, version.id)
            )
        return self.get(file, version_id)

    def charge(self, owner: str, size: int) -> None:
        """Take space from a user, or raise Box's 403. Old versions and the trash count (guides, common errors)."""
        with self._database.transaction() as transaction:
            used = "UPDATE users SET space_used = MAX(0, space_used + ?) WHERE id = ?"
            transaction.execute(used, (size, owner))
            if size > 0:
                self.check_space(owner, 0)

    def check_space(self, owner: str, size: int) -> None:
        """Raise Box's 403 if so many bytes more are too many, for the account or for one file."""
        full = self._database.row("SELECT space_used + ? > space_amount FROM users WHERE id = ?", size, owner)
        large = self._database.row("SELECT ? > max_upload_size FROM users WHERE id = ?", size, owner)
        if large and large[0]:
            raise refused("file_size_limit_exceeded")
        if full and full[0]:
            raise refused("storage_limit_exceeded")

    def grow(self, owner: str, folder_id: str | None, size: int) -> None:
        """Count bytes in a folder and all above it."""
        with self._database.transaction() as transaction:
            while size and folder_id not in (None, ROOT):
                transaction.execute("UPDATE items SET size = size + ? WHERE id = ?", (size, folder_id))
                folder = self._items.get(owner, str(folder_id))
                folder_id = folder.parent if folder else None


def _version(row: sqlite3.Row) -> Version:
    return Version(str(row["id"]), str(row["item"]), *tuple(row)[2:])
