"""Which part of a folder is asked for, and in which order."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import bad_parameter

SORT_COLUMNS = {"id": "id", "name": "name_key", "date": "modified_at", "size": "size"}
DEFAULT_LIMIT = 100  # Box: guides, pagination (examples); the folder itself lists 100 (OpenAPI, get_folders_id)
MAX_LIMIT = 1000  # Box: OpenAPI, get_folders_id_items
MAX_OFFSET = 9999  # Box: guides, offset-based pagination


@dataclass(frozen=True)
class After:
    """The place of the last item of a page; the next page begins behind it."""

    rank: int
    key: str | float
    id: int


@dataclass(frozen=True)
class Listing:
    """A checked question for a page of a folder."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    sort: str = "name"
    direction: str = "ASC"
    by_marker: bool = False
    after: After | None = None

    @classmethod
    def read(
        cls, arguments: Mapping[str, str], folder_id: str, *, markers: bool = True, sorted_markers: bool = True
    ) -> Listing:
        """Read a query string. What Box would not take raises its 400.

        ``sorted_markers`` is false where a page by marker has no order to choose (OpenAPI, get_folders_trash_items).
        """
        sort, direction = arguments.get("sort", "name"), arguments.get("direction", "ASC")
        if sort.lower() not in SORT_COLUMNS:
            raise bad_parameter("sort", sort)
        if direction.upper() not in ("ASC", "DESC"):
            raise bad_parameter("direction", direction)
        by_marker = markers and flag(arguments, "usemarker")
        marker = arguments.get("marker") if markers else None
        if by_marker and "offset" in arguments:
            raise bad_parameter("offset", arguments["offset"], "It cannot be used with a marker.")
        if by_marker and "sort" in arguments and (folder_id == "0" or not sorted_markers):
            raise bad_parameter("sort", sort, "It is not supported with markers here.")  # OpenAPI, get_folders_id_items
        if by_marker and "direction" in arguments and not sorted_markers:
            raise bad_parameter("direction", direction, "It is not supported with markers here.")
        if marker and not by_marker:
            raise bad_parameter("marker", marker, "It requires usemarker to be true.")
        limit, offset = number(arguments, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT), offset_of(arguments)
        listing = cls(limit, offset, sort.lower(), direction.upper(), by_marker)
        return listing if not marker else listing._from(marker, folder_id)

    def marker(self, after: After, folder_id: str) -> str:
        """Write the place as the opaque string that clients send back for the next page."""
        place = [folder_id, self.sort, self.direction, after.rank, after.key, after.id]
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")

    def answer(self, entries: Sequence[object], total: int, after: After | None, folder_id: str) -> dict[str, Any]:
        """Wrap a page's entries. With a marker there is no total, no offset and no order (OpenAPI, Items)."""
        if self.by_marker:
            marker = self.marker(after, folder_id) if after else None
            return {"entries": entries, "limit": self.limit, "next_marker": marker}
        order = [{"by": "type", "direction": "ASC"}, {"by": self.sort, "direction": self.direction}]
        return {"total_count": total, "entries": entries, "offset": self.offset, "limit": self.limit, "order": order}

    def _from(self, marker: str, folder_id: str) -> Listing:
        try:
            padded = marker + "=" * (-len(marker) % 4)
            folder, sort, direction, rank, key, item_id = json.loads(base64.urlsafe_b64decode(padded))
            after = After(int(rank), key if isinstance(key, str) else float(key), int(item_id))
            str(after.key).encode()  # half a surrogate pair is no text for SQLite
            if max(abs(after.rank), abs(after.id)) >= 2**63:
                raise ValueError
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
            raise bad_parameter("marker", marker) from None
        if (folder, sort, direction) != (folder_id, self.sort, self.direction):
            raise bad_parameter("marker", marker)
        return Listing(self.limit, 0, self.sort, self.direction, True, after)


def offset_of(arguments: Mapping[str, str], most: int = MAX_OFFSET) -> int:
    offset = number(arguments, "offset", 0)
    if offset > most:
        raise bad_parameter("offset", str(offset), f"The offset must not exceed the maximum offset of {most}")
    return offset


def number(arguments: Mapping[str, str], name: str, default: int, least: int = 0, most: int | None = None) -> int:
    """Read a whole number. Box: a limit above the maximum counts as the maximum (guides, offset-based pagination)."""
    text = arguments.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 19) or int(text) < least:
        raise bad_parameter(name, text)
    return int(text) if most is None else min(int(text), most)


def flag(arguments: Mapping[str, str], name: str) -> bool:
    text = arguments.get(name, "false").lower()
    if text not in ("true", "false", "1", "0", ""):
        raise bad_parameter(name, text)
    return text in ("true", "1")
