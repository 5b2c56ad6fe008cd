"""Search: the words and filters of a question, turned into one query of the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ApiError, bad_parameter, not_found, refused
from .items import BELOW, COLUMNS, ROOT, Item, item_of
from .json_body import seconds
from .names import name_key
from .paging import flag, number, offset_of
from .users import User

if TYPE_CHECKING:
    from .emulator import Emulator

MAX_OFFSET = 10000  # Box: OpenAPI, get_search
_MOST_WORDS = 50  # more would be too deep for the database
_TOKENS = re.compile(r'"([^"]*)"|(\S+)')
_FOUND_IN = {  # where content_types look; the insides of files are not searched
    "name": "name_key LIKE ? ESCAPE '!'",
    "description": "fold(description) LIKE ? ESCAPE '!'",
    "comments": "id IN (SELECT item FROM comments WHERE fold(message) LIKE ? ESCAPE '!')",
    "tags": "fold(json_extract(details, '$.tags')) LIKE ? ESCAPE '!'",
    "file_content": "FALSE AND ?",
}
_BELOW = f"id IN ({BELOW} SELECT id FROM below) AND id <> ?"  # noqa: S608 - ours
_TRASH = {"non_trashed_only": "trash IS NULL", "trashed_only": "trash IS NOT NULL", "all_items": "TRUE"}


@dataclass
class Search:
    """A checked question. ``conditions`` are SQL, with their values in the same order."""

    limit: int
    offset: int
    order: str
    with_links: bool
    conditions: list[str]
    values: list[object]

    @classmethod
    def read(cls, arguments: Mapping[str, str], emulator: Emulator, user: User) -> Search:
        """Read a query string. What Box would not take raises its error (OpenAPI, get_search)."""
        if "mdfilters" in arguments:
            raise ApiError(400, "The Box emulator does not search by metadata.", code="not_implemented")
        if arguments.get("scope", "user_content") != "user_content":
            raise refused("access_denied_insufficient_permissions")
        text = arguments.get("query", "")
        if not text.strip():
            raise refused("missing_parameter")
        direction = _one_of(arguments, "direction", "DESC", ("DESC", "ASC"), str.upper)
        by_time = f"modified_at {direction}, id"
        relevant = f"(name_key LIKE ? ESCAPE '!') {direction}, {by_time}"
        sort = _one_of(arguments, "sort", "relevance", ("relevance", "modified_at"), str.lower)
        search = cls(
            number(arguments, "limit", 30, 0, 200),
            offset_of(arguments, MAX_OFFSET),
            relevant if sort == "relevance" else f"(? IS NULL), {by_time}",
            flag(arguments, "include_recent_shared_links"),
            ["owner = ?"],
            [user.id],
        )
        search._words(text, _list(arguments, "content_types") or ["name", "description", "comments", "tags"])
        search._filters(arguments, emulator, user)
        search.values.append(_pattern(text.strip().strip('"')))
        return search

    def run(self, emulator: Emulator) -> tuple[list[Item], int]:
        """Return the page asked for, and how much was found."""
        condition = " AND ".join(f"({part})" for part in self.conditions)
        total = emulator.database.row(f"SELECT COUNT(*) FROM items WHERE {condition}", *self.values[:-1])  # noqa: S608
        query = f"SELECT {COLUMNS} FROM items WHERE {condition} ORDER BY {self.order} LIMIT ? OFFSET ?"  # noqa: S608
        rows = emulator.database.rows(query, *self.values, self.limit, self.offset)
        return [item_of(row) for row in rows], total[0] if total else 0

    def within(self, folder_id: str) -> None:
        """Look below this folder only."""
        self.conditions.append(_BELOW)
        self.values[-1:-1] = [folder_id, folder_id]

    def answer(self, entries: list[Any], total: int, type: str) -> dict[str, object]:
        return {"type": type, "total_count": total, "limit": self.limit, "offset": self.offset, "entries": entries}

    def _words(self, text: str, kinds: list[str]) -> None:
        """Words and "phrases" must all be there; OR, and NOT before one, mean what they say (guides, search)."""
        if unknown := [kind for kind in kinds if kind not in _FOUND_IN]:
            raise bad_parameter("content_types", unknown[0])
        groups, negated = [list[str]()], False
        for phrase, word in _TOKENS.findall(text)[:_MOST_WORDS]:
            if word == "OR" and groups[-1]:
                groups.append([])
            elif word == "NOT":
                negated = True
            elif word != "AND":
                anywhere = " OR ".join(_FOUND_IN[kind] for kind in kinds)
                groups[-1].append(f"NOT COALESCE({anywhere}, FALSE)" if negated else f"({anywhere})")
                self.values += [_pattern(phrase or word)] * len(kinds)
                negated = False
        self.conditions.append(" OR ".join(" AND ".join(group) or "TRUE" for group in groups))

    def _filters(self, arguments: Mapping[str, str], emulator: Emulator, user: User) -> None:
        self.conditions.append(_TRASH[_one_of(arguments, "trash_content", "non_trashed_only", _TRASH, str)])
        if kind := arguments.get("type"):
            self._where("type = ?", _one_of(arguments, "type", kind, ("file", "folder", "web_link"), str))
        if endings := _list(arguments, "file_extensions"):
            patterns = [f"%.{_escaped(name_key(ending.lstrip('.')))}" for ending in endings]
            anywhere = " OR ".join([_FOUND_IN["name"]] * len(patterns))
            self._where(f"type = 'file' AND ({anywhere})", *patterns)
        for name, column in (("created_at", "created_at"), ("updated_at", "modified_at"), ("deleted_at", "trashed_at")):
            self._range(arguments, f"{name}_range", column, seconds)
        self._range(arguments, "size_range", "type = 'file' AND size", _whole)
        for name in ("owner_user_ids", "recent_updater_user_ids", "deleted_user_ids"):
            if (people := _list(arguments, name)) and user.id not in people:
                self.conditions.append("FALSE")  # everything a user finds was made, and changed, by that user
        folders = _list(arguments, "ancestor_folder_ids")
        for folder_id in folders:
            folder = emulator.items.get(user.id, folder_id) if folder_id.isdecimal() and len(folder_id) < 19 else None
            if folder is None or folder.type != "folder":
                raise not_found("folder", folder_id)
        if folders and ROOT not in folders:
            below = " OR ".join([_BELOW] * len(folders))
            self._where(below, *(each for folder_id in folders for each in (folder_id, folder_id)))

    def _range(self, arguments: Mapping[str, str], name: str, column: str, read: Any) -> None:
        """Two values with a comma between, of which one may be missing."""
        if text := arguments.get(name):
            parts = [part.strip() for part in text.split(",")]
            if len(parts) != 2:
                raise bad_parameter(name, text[:100])
            for sign, part in zip((">=", "<="), parts, strict=True):
                if part:
                    self._where(f"{column} {sign} ?", read(part.replace(" ", "+"), name))

    def _where(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values


def _list(arguments: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in arguments.get(name, "").split(",") if part.strip()][:100]


def _one_of(arguments: Mapping[str, str], name: str, default: str, known: Iterable[str], fold: Any) -> str:
    value: str = fold(arguments.get(name, default))
    if value not in known:
        raise bad_parameter(name, arguments[name][:100])
    return value


def _whole(text: str, name: str) -> int:
    return number({name: text}, name, 0)


def _pattern(text: str) -> str:
    return f"%{_escaped(name_key(text[:300]))}%"


def _escaped(text: str) -> str:
    return re.sub(r"([!%_])", r"!\1", text)
