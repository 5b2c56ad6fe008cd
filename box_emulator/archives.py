"""Zip archives that were asked for: what goes into each under which name, and how far the download is."""

from __future__ import annotations

import json
import os.path
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .clock import Clock
from .database import Database
from .errors import ApiError, not_found, refused
from .items import Item, Items
from .names import name_key

LIFETIME = 10  # seconds to begin the download in: "a few" (OpenAPI, get_zip_downloads_id_content)
STATUS_LIFETIME = 12 * 3600  # OpenAPI, get_zip_downloads_id_status
MOST_FILES = 10_000  # OpenAPI, post_zip_downloads
_AT_ONCE = {"user": 5, "enterprise": 10}  # OpenAPI, get_zip_downloads_id_content

Plan = list[tuple[str, str]]  # the path of each folder, with a slash at its end, and of each file; and its id


@dataclass(frozen=True)
class Archive:
    """``counts`` and ``state`` are what `ZipDownloadStatus` of the description has."""

    id: str
    user: str
    name: str
    plan: Plan
    expires_at: float
    started_at: float | None
    counts: dict[str, int]
    state: str


class Archives:
    """All archives. What is downloaded is read when it is: items that are gone by then are skipped."""

    def __init__(self, database: Database, clock: Clock, items: Items) -> None:
        self._database = database
        self._clock = clock
        self._items = items

    def add(self, user: str, name: str, chosen: Sequence[tuple[Item, str]], most: int) -> Archive:
        """Plan an archive of these items under these names, of at most so many bytes; `named` gives the names."""
        plan, files, size = Plan(), 0, 0
        for path, item in self._walk(chosen):
            files, size = files + (item.type == "file"), size + (item.size if item.type == "file" else 0)
            if files > MOST_FILES:
                raise refused("zip_download_file_count_exceeded_limit")
            if size > most:
                raise refused("zip_download_pre_compressed_bytes_exceeded_limit")
            plan.append((path, item.id))
        now, archive_id = self._clock.now(), secrets.token_urlsafe(32)
        counts = json.dumps(dict.fromkeys(_COUNTS, 0) | {"total_file_count": files})
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM archives WHERE expires_at < ?", (now - STATUS_LIFETIME,))
            values = (archive_id, user, name, json.dumps(plan), now + LIFETIME, None, counts, "in_progress")
            transaction.execute("INSERT INTO archives VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        return self.get(archive_id)

    def get(self, archive_id: str) -> Archive:
        """Return an archive, or raise Box's 404."""
        row = self._database.row("SELECT * FROM archives WHERE id = ?", archive_id)
        if row is None:
            raise not_found("zip_download", archive_id[:100])
        return _archive(row)

    def status(self, user: str, archive_id: str) -> Archive:
        """Return one whose download has begun (OpenAPI, get_zip_downloads_id_status)."""
        archive = self.get(archive_id)
        if archive.user != user:
            raise refused("access_denied_insufficient_permissions")
        if archive.started_at is None or archive.started_at + STATUS_LIFETIME <= self._clock.now():
            raise not_found("zip_download", archive_id[:100])
        return archive

    def start(self, archive_id: str) -> Archive:
        """Begin the download: once, and soon (OpenAPI, get_zip_downloads_id_content)."""
        now = self._clock.now()
        with self._database.transaction() as transaction:
            archive = self.get(archive_id)
            if archive.started_at is not None or archive.expires_at <= now:
                raise not_found("zip_download", archive_id[:100])
            query = "SELECT user FROM archives WHERE state = 'in_progress' AND started_at > ?"
            running = [str(row["user"]) for row in self._database.rows(query, now - STATUS_LIFETIME)]
            for whose, count in (("user", running.count(archive.user)), ("enterprise", len(running))):
                if count >= _AT_ONCE[whose]:
                    message = "Too many zip archives are being downloaded"
                    raise ApiError(429, message, code=f"{whose}_too_many_concurrent_downloads")
            transaction.execute("UPDATE archives SET started_at = ? WHERE id = ?", (now, archive_id))
        return archive

    def note(self, archive: Archive, counts: dict[str, int], state: str = "in_progress") -> None:
        """Write down how far a download is."""
        with self._database.transaction() as transaction:
            statement = "UPDATE archives SET counts = ?, state = ? WHERE id = ?"
            transaction.execute(statement, (json.dumps(counts), state, archive.id))

    def _walk(self, chosen: Sequence[tuple[Item, str]]) -> Iterator[tuple[str, Item]]:
        todo = [(name, item) for item, name in reversed(chosen)]
        while todo:
            path, item = todo.pop()
            yield (path, item) if item.type == "file" else (f"{path}/", item)
            if item.type == "folder":
                todo += [(f"{path}/{below.name}", below) for below in self._items.children(item) if below.url is None]


_COUNTS = ("total_file_count", "downloaded_file_count", "skipped_file_count", "skipped_folder_count")


def named(items: Sequence[Item]) -> tuple[list[tuple[Item, str]], list[list[dict[str, str]]]]:
    """Give each item its name in the archive, and tell which had to be renamed, in pairs (OpenAPI, ZipDownload)."""
    same: dict[str, list[Item]] = {}
    for item in items:
        same.setdefault(name_key(item.name), []).append(item)
    new = {item.id: _new_name(item) for group in same.values() if len(group) > 1 for item in group}
    conflicts = [[_renamed(group[0], new), _renamed(other, new)] for group in same.values() for other in group[1:]]
    return [(item, new.get(item.id, item.name)) for item in items], conflicts


def _new_name(item: Item) -> str:
    ending = os.path.splitext(item.name)[1] if item.type == "file" else ""
    return secrets.token_hex(4) + ending


def _renamed(item: Item, new: dict[str, str]) -> dict[str, str]:
    return {"id": item.id, "type": item.type, "original_name": item.name, "download_name": new[item.id]}


def _archive(row: sqlite3.Row) -> Archive:
    plan: Any = [tuple(entry) for entry in json.loads(row["plan"])]
    times = (row["expires_at"], row["started_at"])
    return Archive(row["id"], str(row["user"]), row["name"], plan, *times, json.loads(row["counts"]), row["state"])
