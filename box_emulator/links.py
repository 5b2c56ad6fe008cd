"""Shared links: who may see an item by its address."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .clock import Clock
from .database import Database
from .errors import ApiError, bad_parameter, refused
from .items import Item, Items

_HEADER = re.compile(r"shared_link=(?P<url>.*?)(?:&shared_link_password=(?P<password>.*))?$")
_PASSWORD = re.compile(r"(?=.*[^a-z]).{8,}", re.DOTALL)  # OpenAPI: a number, upper case letter, or other character
_VANITY = re.compile(r"[\w-]{12,}")


@dataclass(frozen=True)
class Link:
    """The one shared link of an item. ``unshared_at`` is in seconds since 1970."""

    item: str
    slug: str
    vanity: str | None
    access: str
    password: str | None
    unshared_at: float | None
    can_download: bool
    can_edit: bool
    downloads: int
    previews: int


class Links:
    """All shared links; those whose time is over are as good as gone."""

    def __init__(self, database: Database, clock: Clock, items: Items) -> None:
        self._database = database
        self._clock = clock
        self._items = items

    def of(self, item: Item) -> Link | None:
        return self._one("item = ?", item.id)

    def put(self, item: Item, asked: Mapping[str, Any]) -> None:
        """Make or change the link of an item; parts that are not given stay as they are (OpenAPI, put_files_id)."""
        with self._database.transaction() as transaction:
            old = self.of(item)
            password = asked.get("password", old.password if old else None)
            access = asked.get("access") or (old.access if old else "open")
            if access not in ("open", "company", "collaborators"):
                raise bad_parameter("shared_link.access", access)
            if asked.get("password") is not None and (access != "open" or not _PASSWORD.fullmatch(password)):
                raise bad_parameter("shared_link.password", "", "It needs access 'open' and a stronger password.")
            vanity = asked.get("vanity_name") or (old.vanity if old else None)
            if vanity and not _VANITY.fullmatch(vanity):
                raise bad_parameter("shared_link.vanity_name", vanity)
            owner = self._one("vanity = ?", vanity) if vanity else None
            if owner and owner.item != item.id:
                raise bad_parameter("shared_link.vanity_name", str(vanity), "It is taken.")
            until = asked.get("unshared_at", old.unshared_at if old else None)
            if until is not None and until <= self._clock.now():
                raise bad_parameter("shared_link.unshared_at", str(until), "It is in the past.")
            may = asked.get("permissions") or {}
            transaction.execute(
                "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    item.id,
                    old.slug if old else secrets.token_hex(16),
                    vanity,
                    access,
                    password if access == "open" else None,
                    until,
                    may.get("can_download", old.can_download if old else True),
                    may.get("can_edit", old.can_edit if old else False) and item.type == "file",
                    old.downloads if old else 0,
                    old.previews if old else 0,
                ),
            )

    def remove(self, item: Item) -> None:
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM links WHERE item = ?", (item.id,))

    def open(self, header: str, user: str) -> tuple[Item, Link] | None:
        """Follow a ``boxapi`` header. None: no such link, or not for this user; a wrong password is Box's 403."""
        found = _HEADER.fullmatch(header.strip())
        if not found:
            return None
        name = unquote(found["url"]).split("?")[0].rstrip("/").rpartition("/")[2].partition(".")[0]
        link = self._one("? IN (slug, vanity)", name)
        item = self._items.find(link.item) if link else None
        if not link or not item or item.trash or (link.access == "collaborators" and item.owner != user):
            return None
        if link.password and item.owner != user and link.password != unquote(found["password"] or ""):
            raise refused("incorrect_shared_item_password")
        return item, link

    def reach(self, header: str, user: str, item: Item) -> Link | None:
        """Return the link of a ``boxapi`` header if it leads to the item: to itself, or to a folder above it."""
        opened = self.open(header, user) if header else None
        if not opened:
            return None
        above = {folder.id for folder in self._items.ancestors(item)} | {item.id}
        return opened[1] if opened[0].id in above and opened[0].owner == item.owner else None

    def download(self, slug: str) -> Item:
        """Return the file behind a direct link, and count the download. Those need an open link without password."""
        link = self._one("slug = ?", slug)
        item = self._items.find(link.item) if link else None
        if not link or not item or item.type != "file" or item.trash:
            raise ApiError(404)
        if link.access != "open" or link.password or not link.can_download:
            raise refused("access_denied_insufficient_permissions")
        self.count(link)
        return item

    def count(self, link: Link) -> None:
        """Count a download."""
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE links SET downloads = downloads + 1 WHERE item = ?", (link.item,))

    def _one(self, condition: str, value: str) -> Link | None:
        row = self._database.row(
            f"SELECT * FROM links WHERE {condition} AND (unshared_at IS NULL OR unshared_at > ?)",  # noqa: S608
            value,
            self._clock.now(),
        )
        return _link(row) if row else None


def _link(row: sqlite3.Row) -> Link:
    return Link(
        str(row["item"]),
        row["slug"],
        row["vanity"],
        row["access"],
        row["password"],
        row["unshared_at"],
        bool(row["can_download"]),
        bool(row["can_edit"]),
        row["downloads"],
        row["previews"],
    )
