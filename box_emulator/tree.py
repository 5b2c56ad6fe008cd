"""Changes to the tree of items: add, change, move, copy, and the way through the trash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .clock import Clock
from .contents import Contents, Draft
from .database import Database
from .errors import ApiError, bad_parameter, not_found, refused
from .forms import mini
from .items import BELOW, RANKS, ROOT, Item, Items
from .names import MAX_NAME, check_name, name_key
from .versions import Versions

TRASH_LIFETIME = 30 * 86400  # Box: 30 days unless an admin says otherwise (support, "Managing your trash")
_SET = ("name", "description", "url", "parent", "content_modified_at")


class Tree:
    """Every method is one transaction, and raises Box's errors; nothing is changed then."""

    def __init__(self, database: Database, clock: Clock, items: Items, contents: Contents, versions: Versions) -> None:
        self._database = database
        self._clock = clock
        self._items = items
        self._contents = contents
        self._versions = versions

    def folder(self, owner: str, folder_id: str) -> Item:
        """Return the folder to put something into, or raise Box's 404."""
        folder = self._items.get(owner, folder_id)
        if folder is None or folder.type != "folder" or folder.trash:
            raise not_found("parent", folder_id)
        return folder

    def add(
        self,
        owner: str,
        name: str,
        type: str = "file",
        *,
        parent: str = ROOT,
        draft: Draft | None = None,
        url: str | None = None,
        description: str = "",
        age: float = 0,
        content_created_at: float | None = None,
        content_modified_at: float | None = None,
    ) -> Item:
        """Put an item into a folder. ``age`` is the number of seconds since its last change."""
        if not (url and not name):
            check_name(name)
        name = name or str(url)[:MAX_NAME]  # OpenAPI, post_web_links
        now = self._clock.now() - age
        columns: dict[str, object] = {
            "type": type,
            "rank": RANKS[type],
            "owner": owner,
            "parent": parent,
            "name": name,
            "name_key": name_key(name),
            "description": description,
            "size": 0,
            "url": url,
            "etag": 0,
            "created_at": now,
            "modified_at": now,
            "content_created_at": now if content_created_at is None else content_created_at,
            "content_modified_at": now if content_modified_at is None else content_modified_at,
        }
        with self._database.transaction() as transaction:
            self.check_free(self.folder(owner, parent), name, type)
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO items ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - ours
            item_id = str(transaction.execute(statement, tuple(columns.values())).lastrowid)
            if type == "file" and draft:
                self._versions.add(self._there(item_id), self._contents.keep(draft), draft.size, now)
            return self._there(item_id)

    def add_version(self, file: Item, draft: Draft, name: str | None = None, modified_at: float | None = None) -> Item:
        """Give a file new content, and perhaps a new name."""
        with self._database.transaction():
            file = self._there(file.id)
            self._versions.add(file._replace(name=name or file.name), self._contents.keep(draft), draft.size)
            at = self._clock.now() if modified_at is None else modified_at
            return self.change(self._there(file.id), {"name": name or file.name, "content_modified_at": at})

    def change(self, item: Item, changes: Mapping[str, Any]) -> Item:
        """Change columns of an item, of which ``parent`` moves it; other keys are details. It gets a new etag."""
        with self._database.transaction() as transaction:
            item = self._there(item.id)
            columns = {name: value for name, value in changes.items() if name in _SET}
            if "name" in columns or "parent" in columns:
                name, parent = columns.get("name", item.name), columns.get("parent", item.parent)
                if name != item.name:
                    check_name(name)
                self._move(item, self.folder(item.owner, str(parent)), name)
                columns["name_key"] = name_key(name)
            details = {name: value for name, value in changes.items() if name not in _SET}
            columns["details"] = json.dumps(json.loads(item.details) | details)
            columns["modified_at"] = self._clock.now()
            assignments = ", ".join(f"{name} = ?" for name in columns)
            statement = f"UPDATE items SET {assignments}, etag = etag + 1 WHERE id = ?"  # noqa: S608 - ours
            transaction.execute(statement, (*columns.values(), item.id))
            return self._there(item.id)

    def copy(self, item: Item, parent: str, name: str | None = None, version: str | None = None) -> Item:
        """Copy an item, with all below it, into a folder. Of files, only one version is copied."""
        if item.id == ROOT:
            raise ApiError(500, "The root folder cannot be copied")  # OpenAPI, post_folders_id_copy
        with self._database.transaction():
            folder = self.folder(item.owner, parent)
            if any(above.id == item.id for above in [*self._items.ancestors(folder), folder]):
                raise refused("cyclical_folder_structure")
            return self._copy(item, folder, check_name(name) if name else item.name, version)

    def trash(self, item: Item, *, recursive: bool = True) -> None:
        """Put an item into the trash, with all below it that is not there yet."""
        if item.id == ROOT:
            raise refused("access_denied_insufficient_permissions")
        with self._database.transaction() as transaction:
            if not recursive and self._items.count(item):
                raise refused("folder_not_empty")
            self._versions.grow(item.owner, item.parent, -self._there(item.id).size)
            statement = f"{BELOW} UPDATE items SET trash = ? WHERE id IN below AND trash IS NULL"  # noqa: S608
            transaction.execute(statement, (item.id, item.id))
            transaction.execute("UPDATE items SET trashed_at = ? WHERE id = ?", (self._clock.now(), item.id))
            transaction.execute("DELETE FROM links WHERE item IN (SELECT id FROM items WHERE trash = ?)", (item.id,))

    def restore(self, item: Item, parent: str | None = None, name: str | None = None) -> Item:
        """Take an item out of the trash. ``parent`` counts only if the old one is gone (OpenAPI, post_files_id)."""
        with self._database.transaction() as transaction:
            item = self._there(item.id)
            old = self._items.get(item.owner, str(item.parent))
            folder = old if old and not old.trash else self.folder(item.owner, str(parent or item.parent))
            name = check_name(name) if name else item.name
            self.check_free(folder, name, item.type)
            self._versions.grow(item.owner, folder.id, item.size)
            statement = "UPDATE items SET parent = ?, name = ?, name_key = ?, etag = etag + 1 WHERE id = ?"
            transaction.execute(statement, (folder.id, name, name_key(name), item.id))
            transaction.execute("UPDATE items SET trash = NULL, trashed_at = NULL WHERE trash = ?", (item.id,))
            return self._there(item.id)

    def purge(self, item: Item) -> None:
        """Delete for good what is in the trash with this item. What went there by itself before stays."""
        self._purge("trash = ?", item.id, item.owner)

    def purge_all(self, owner: str) -> None:
        """Delete for good what a user has."""
        self._purge("owner = ?", owner, owner)

    def check_free(self, folder: Item, name: str, type: str, but: str | None = None) -> None:
        """Raise Box's 409 if the name is taken, whatever its case.

        Box: the conflict is a list for folders (box-node-sdk; box-python-sdk), one object for files (rclone,
        backend/box/api/types.go; box-ui-elements, PlainUpload).
        """
        taken = self._items.named(folder, name_key(name))
        if taken and taken.id != but:
            raise refused("item_name_in_use", conflicts=mini(taken) if type == "file" else [mini(taken)])

    def _move(self, item: Item, folder: Item, name: str) -> None:
        if any(above.id == item.id for above in [*self._items.ancestors(folder), folder]):
            raise refused("cyclical_folder_structure")
        self.check_free(folder, name, item.type, item.id)
        if folder.id != item.parent:
            self._versions.grow(item.owner, item.parent, -item.size)
            self._versions.grow(item.owner, folder.id, item.size)

    def _copy(self, item: Item, folder: Item, name: str, version: str | None = None) -> Item:
        todo, first = [(item, folder, name)], ""
        while todo:  # and not by recursion: folders may lie deeper than Python's stack
            old, folder, name = todo.pop()
            made = self.add(folder.owner, name, old.type, parent=folder.id, url=old.url, description=old.description)
            first = first or made.id
            if old.type == "file":
                chosen = self._versions.get(old, version or str(old.version))
                self._versions.add(made, chosen.sha1, chosen.size)
            elif old.type == "folder":
                todo += [(child, made, child.name) for child in self._items.children(old)]
        return self._there(first)

    def _purge(self, condition: str, value: str, owner: str) -> None:
        gone = f"(SELECT id FROM items WHERE {condition})"  # noqa: S608 - ours
        with self._database.transaction() as transaction:
            versions = self._database.rows(f"SELECT sha1, size FROM versions WHERE item IN {gone}", value)  # noqa: S608
            for table in ("versions", "comments", "links", "recents"):
                transaction.execute(f"DELETE FROM {table} WHERE item IN {gone}", (value,))  # noqa: S608
            transaction.execute(f"DELETE FROM items WHERE {condition}", (value,))  # noqa: S608
            self._versions.charge(owner, -sum(row["size"] for row in versions))
        self._contents.forget(row["sha1"] for row in versions)

    def _there(self, item_id: str) -> Item:
        item = self._items.find(item_id)
        if item is None:  # another request was faster
            raise bad_parameter("id", item_id) if item_id == ROOT else not_found("item", item_id)
        return item
