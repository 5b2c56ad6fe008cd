"""Files, folders and web links: one kind of thing, in one tree per user."""

from __future__ import annotations

import hashlib
import sqlite3
import unicodedata
from dataclasses import dataclass

from .clock import Clock
from .database import Database
from .paging import SORT_COLUMNS, After, Listing

ROOT = "0"  # Box: the root folder of every account (OpenAPI, get_folders_id)
RANKS = {"folder": 0, "file": 1, "web_link": 2}
MAX_NAME = 255


@dataclass(frozen=True)
class Item:
    """A file, a folder or a web link. Times are seconds since 1970, sizes bytes; a root has no time and no etag."""

    id: str
    type: str
    owner: str
    parent: str | None
    name: str
    description: str = ""
    size: int = 0
    sha1: str | None = None
    url: str | None = None
    etag: str | None = None
    created_at: float | None = None
    modified_at: float | None = None


_COLUMNS = "id, type, owner, parent, name, description, size, sha1, url, etag, created_at, modified_at"


class Items:
    """All items of all users."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        owner: str,
        name: str,
        type: str = "file",
        *,
        parent: str = ROOT,
        content: bytes = b"",
        url: str | None = None,
        description: str = "",
        age: float = 0,
    ) -> Item:
        """Put an item into a folder of ``owner``; ``age`` is the number of seconds since its last change.

        A bad name raises `ValueError`, and so does one that is taken, whatever its case (Box: node #574; OpenAPI).
        """
        _check_name(name)
        now, digest = self._clock.now() - age, hashlib.sha1(content).hexdigest()  # noqa: S324 - Box's choice
        with self._database.transaction() as transaction:
            folder = self.get(owner, parent)
            if folder is None or folder.type != "folder":
                raise ValueError(f"There is no folder {parent}.")
            taken = "SELECT 1 FROM items WHERE owner = ? AND parent = ? AND name_key = ?"
            if self._database.row(taken, owner, parent, _key(name)):
                raise ValueError(f"The folder has an item named {name!r}.")
            cursor = transaction.execute(
                "INSERT INTO items (type, rank, owner, parent, name, name_key, description, size, sha1, url, etag,"
                " created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
                (
                    type,
                    RANKS[type],
                    owner,
                    parent,
                    name,
                    _key(name),
                    description,
                    len(content),
                    digest if type == "file" else None,
                    url,
                    now,
                    now,
                ),
            )
            if type == "file":
                transaction.execute("INSERT INTO contents VALUES (?, ?)", (cursor.lastrowid, content))
                self._grow(transaction, folder, len(content))
            item = self.get(owner, str(cursor.lastrowid))
        assert item is not None  # noqa: S101 - it was just put there
        return item

    def get(self, owner: str, item_id: str) -> Item | None:
        """Return the item if this user owns it."""
        if item_id == ROOT:
            return self._root(owner)
        row = self._database.row(f"SELECT {_COLUMNS} FROM items WHERE id = ? AND owner = ?", item_id, owner)  # noqa: S608
        return _item(row) if row else None

    def content(self, file_id: str) -> bytes | None:
        row = self._database.row("SELECT data FROM contents WHERE item = ?", file_id)
        return bytes(row["data"]) if row else None

    def ancestors(self, item: Item) -> list[Item]:
        """Return the folders above an item, the root folder first."""
        path: list[Item] = []
        parent = item.parent
        while parent is not None and (folder := self.get(item.owner, parent)):
            path.insert(0, folder)
            parent = folder.parent
        return path

    def count(self, folder: Item) -> int:
        row = self._database.row("SELECT COUNT(*) FROM items WHERE owner = ? AND parent = ?", folder.owner, folder.id)
        return int(row[0]) if row else 0

    def page(self, folder: Item, listing: Listing) -> tuple[list[Item], After | None]:
        """Return a page of a folder, and where the next begins. Box: folders, then files, then web links (OpenAPI)."""
        column = SORT_COLUMNS[listing.sort]
        condition, values = "", list[object]()
        if listing.after:
            sign = "<" if listing.direction == "DESC" else ">"
            condition = f"AND (rank > ? OR rank = ? AND ({column}, id) {sign} (?, ?))"
            values = [listing.after.rank, listing.after.rank, listing.after.key, listing.after.id]
        rows = self._database.rows(
            f"SELECT {_COLUMNS}, rank, {column} AS key FROM items WHERE owner = ? AND parent = ? {condition}"  # noqa: S608
            f" ORDER BY rank, {column} {listing.direction}, id {listing.direction} LIMIT ? OFFSET ?",
            folder.owner,
            folder.id,
            *values,
            listing.limit + 1,
            listing.offset,
        )
        page, more = rows[: listing.limit], len(rows) > listing.limit
        after = After(page[-1]["rank"], page[-1]["key"], page[-1]["id"]) if more else None
        return [_item(row) for row in page], after

    def _root(self, owner: str) -> Item:
        row = self._database.row("SELECT SUM(size) FROM items WHERE owner = ? AND parent = 0", owner)
        return Item(ROOT, "folder", owner, None, "All Files", size=(row and row[0]) or 0)

    def _grow(self, transaction: sqlite3.Connection, folder: Item, size: int) -> None:
        """Count new bytes in every folder above them, and in the user's space."""
        for above in [*self.ancestors(folder), folder]:
            transaction.execute("UPDATE items SET size = size + ? WHERE id = ?", (size, above.id))
        transaction.execute("UPDATE users SET space_used = space_used + ? WHERE id = ?", (size, folder.owner))


def _item(row: sqlite3.Row) -> Item:
    return Item(
        str(row["id"]),
        row["type"],
        str(row["owner"]),
        str(row["parent"]),
        row["name"],
        row["description"],
        row["size"],
        row["sha1"],
        row["url"],
        str(row["etag"]),
        row["created_at"],
        row["modified_at"],
    )


def _key(name: str) -> str:
    """What makes two names the same: Box ignores case."""
    return unicodedata.normalize("NFC", name).casefold()


def _check_name(name: str) -> None:
    """Box: at most 255 characters, no slashes, no control characters, not only spaces, no “.” or “..” (OpenAPI)."""
    if not name.strip() or len(name) > MAX_NAME or name in (".", "..") or name != name.rstrip(" "):
        raise ValueError(f"Not a name that Box takes: {name!r}")
    if any(character in "/\\" or unicodedata.category(character) == "Cc" for character in name):
        raise ValueError(f"Not a name that Box takes: {name!r}")
