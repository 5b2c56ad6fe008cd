"""Which part of a folder is asked for, and in which order."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

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
    def read(cls, arguments: Mapping[str, str], folder_id: str, *, markers: bool = True) -> Listing:
        """Read a query string. What Box would not take raises its 400."""
        sort, direction = arguments.get("sort", "name"), arguments.get("direction", "ASC")
        if sort.lower() not in SORT_COLUMNS:
            raise bad_parameter("sort", sort)
        if direction.upper() not in ("ASC", "DESC"):
            raise bad_parameter("direction", direction)
        by_marker = markers and _flag(arguments, "usemarker")
        marker = arguments.get("marker") if markers else None
        if by_marker and "offset" in arguments:
            raise bad_parameter("offset", arguments["offset"], "It cannot be used with a marker.")
        if by_marker and "sort" in arguments and folder_id == "0":  # OpenAPI, get_folders_id_items
            raise bad_parameter("sort", sort, "It is not supported with markers on the root folder.")
        if marker and not by_marker:
            raise bad_parameter("marker", marker, "It requires usemarker to be true.")
        listing = cls(_limit(arguments), _offset(arguments), sort.lower(), direction.upper(), by_marker)
        return listing if not marker else listing._from(marker, folder_id)

    def marker(self, after: After, folder_id: str) -> str:
        """Write the place as the opaque string that clients send back for the next page."""
        place = [folder_id, self.sort, self.direction, after.rank, after.key, after.id]
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")

    def _from(self, marker: str, folder_id: str) -> Listing:
        try:
            padded = marker + "=" * (-len(marker) % 4)
            folder, sort, direction, rank, key, item_id = json.loads(base64.urlsafe_b64decode(padded))
            after = After(int(rank), key if isinstance(key, str) else float(key), int(item_id))
        except (binascii.Error, ValueError, TypeError, OverflowError):
            raise bad_parameter("marker", marker) from None
        if (folder, sort, direction) != (folder_id, self.sort, self.direction):
            raise bad_parameter("marker", marker)
        return Listing(self.limit, 0, self.sort, self.direction, True, after)


def _limit(arguments: Mapping[str, str]) -> int:
    """Box: a limit above the maximum counts as the maximum (guides, offset-based pagination)."""
    limit = _number(arguments, "limit", DEFAULT_LIMIT)
    if limit < 1:
        raise bad_parameter("limit", str(limit))
    return min(limit, MAX_LIMIT)


def _offset(arguments: Mapping[str, str]) -> int:
    offset = _number(arguments, "offset", 0)
    if offset > MAX_OFFSET:
        raise bad_parameter("offset", str(offset), f"The offset must not exceed the maximum offset of {MAX_OFFSET}")
    return offset


def _number(arguments: Mapping[str, str], name: str, default: int) -> int:
    text = arguments.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise bad_parameter(name, text)
    return int(text)


def _flag(arguments: Mapping[str, str], name: str) -> bool:
    text = arguments.get(name, "false").lower()
    if text not in ("true", "false", "1", "0", ""):
        raise bad_parameter(name, text)
    return text in ("true", "1")
