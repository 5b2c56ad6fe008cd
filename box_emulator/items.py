"""Files, folders and web links: one kind of thing, in one tree per user. Here they are found; `tree` changes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from .contents import Contents
from .database import Database
from .paging import SORT_COLUMNS, After, Listing

ROOT = "0"  # Box: the root folder of every account (OpenAPI, get_folders_id)
RANKS = {"folder": 0, "file": 1, "web_link": 2}
# An item and all below it. A root folder has no row, and cannot be asked for.
BELOW = (
    "WITH RECURSIVE below (id) AS (VALUES (CAST(? AS INTEGER)) UNION ALL"
    " SELECT items.id FROM items JOIN below ON items.parent = below.id) "
)


class Item(NamedTuple):
    """A file, a folder or a web link. Times are seconds since 1970, sizes bytes; a root has no time and no etag.

    ``trash`` is the id of the item with which this one went to the trash. ``details`` is JSON: what is seldom set.
    """

    id: str
    type: str
    owner: str
    parent: str | None
    name: str
    description: str = ""
    size: int = 0
    sha1: str | None = None
    version: str | None = None
    url: str | None = None
    etag: str | None = None
    created_at: float | None = None
    modified_at: float | None = None
    content_created_at: float | None = None
    content_modified_at: float | None = None
    trash: str | None = None
    trashed_at: float | None = None
    details: str = "{}"


_TEXT = {"id", "owner", "parent", "version", "etag", "trash"}  # numbers in the database
COLUMNS = ", ".join(f"CAST({name} AS TEXT)" if name in _TEXT else name for name in Item._fields)


class Items:
    """All items of all users, those in the trash included where nothing else is said."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._contents = contents

    def get(self, owner: str, item_id: str) -> Item | None:
        """Return the item if this user owns it."""
        if item_id == ROOT:
            return self._root(owner)
        item = self.find(item_id)
        return item if item and item.owner == owner else None

    def find(self, item_id: str) -> Item | None:
        """Return the item, whoever owns it. A root is not found."""
        row = self._database.row(f"SELECT {COLUMNS} FROM items WHERE id = ?", item_id)  # noqa: S608 - ours
        return item_of(row) if row else None

    def named(self, folder: Item, key: str) -> Item | None:
        """Return the item of the folder that has this name, given by its `names.name_key`."""
        query = f"SELECT {COLUMNS} FROM items WHERE owner = ? AND parent = ? AND name_key = ? AND trash IS NULL"  # noqa: S608
        row = self._database.row(query, folder.owner, folder.id, key)
        return item_of(row) if row else None

    def content(self, file_id: str) -> bytes:
        """Return the bytes of a small file."""
        item = self.find(file_id)
        return self._contents.read(item.sha1) if item and item.sha1 else b""

    def ancestors(self, item: Item) -> list[Item]:
        """Return the folders above an item, the root folder first."""
        path: list[Item] = []
        parent = item.parent
        while parent is not None and (folder := self.get(item.owner, parent)):
            path.append(folder)
            parent = folder.parent
        return path[::-1]

    def children(self, folder: Item) -> list[Item]:
        """Return all that is in the folder."""
        return self.where("owner = ? AND parent = ? AND trash IS NULL", folder.owner, folder.id)

    def count(self, folder: Item) -> int:
        row = self._database.row("SELECT items FROM counts WHERE owner = ? AND folder = ?", folder.owner, folder.id)
        return int(row[0]) if row else 0

    def where(self, condition: str, *values: object, order: str = "id") -> list[Item]:
        """Return the items for which a condition holds. It is SQL: never put what a client sends into it."""
        query = f"SELECT {COLUMNS} FROM items WHERE {condition} ORDER BY {order}"  # noqa: S608 - ours
        return [item_of(row) for row in self._database.rows(query, *values)]

    def page(self, folder: Item, listing: Listing) -> tuple[list[Item], After | None]:
        """Return a page of a folder, and where the next begins. Box: folders, then files, then web links (OpenAPI)."""
        return self._page("owner = ? AND parent = ? AND trash IS NULL", (folder.owner, folder.id), listing)

    def trash_page(self, owner: str, listing: Listing) -> tuple[list[Item], After | None, int]:
        """Return a page of what was put into the trash by itself, where the next begins, and how much there is."""
        condition = "owner = ? AND trash = id"
        total = self._database.row(f"SELECT COUNT(*) FROM items WHERE {condition}", owner)  # noqa: S608
        page, after = self._page(condition, (owner,), listing)
        return page, after, total[0] if total else 0

    def _page(self, condition: str, values: Sequence[object], listing: Listing) -> tuple[list[Item], After | None]:
        """Read a page as far as the index goes: any page takes as long as the first."""
        column, start = SORT_COLUMNS[listing.sort], listing.after
        found, want = list[sqlite3.Row](), listing.limit + 1
        if start:  # first the rest of the same rank, then the ranks behind it
            sign = "<" if listing.direction == "DESC" else ">"
            rest = f"{condition} AND rank = ? AND ({column}, id) {sign} (?, ?)"
            found = self._rows(rest, [*values, start.rank, start.key, start.id], listing, want)
            condition, values = f"{condition} AND rank > ?", [*values, start.rank]
        if len(found) < want:
            found += self._rows(condition, values, listing, want - len(found))
        page, more = found[: listing.limit], len(found) > listing.limit
        after = After(page[-1]["rank"], page[-1]["key"], int(page[-1][0])) if more else None
        return [item_of(row) for row in page], after

    def _rows(self, condition: str, values: Sequence[object], listing: Listing, limit: int) -> list[sqlite3.Row]:
        column, direction = SORT_COLUMNS[listing.sort], listing.direction
        return self._database.rows(
            f"SELECT {COLUMNS}, rank, {column} AS key FROM items WHERE {condition}"  # noqa: S608 - ours
            f" ORDER BY rank, {column} {direction}, id {direction} LIMIT ? OFFSET ?",
            *values,
            limit,
            listing.offset,
        )

    def _root(self, owner: str) -> Item:
        query = "SELECT SUM(size) FROM items WHERE owner = ? AND parent = 0 AND trash IS NULL"
        row = self._database.row(query, owner)
        return Item(ROOT, "folder", owner, None, "All Files", size=(row and row[0]) or 0)


def item_of(row: sqlite3.Row) -> Item:
    """Read a row of `COLUMNS`, with anything after them."""
    return Item._make(row[: len(Item._fields)])
