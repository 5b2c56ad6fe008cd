"""How a session is written down: JSON with tags, so that values come back as what they were. Never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask.json.tag import (
    JSONTag,
    PassDict,
    PassList,
    TagBytes,
    TagDict,
    TaggedJSONSerializer,
    TagMarkup,
    TagTuple,
    TagUUID,
)

VERSION = 2  # 1 was the values alone, as plain JSON
_DEEPEST = 100  # lists in lists; what is deeper could not be written again within Python's limit


def encode(values: Mapping[Any, Any]) -> bytes:
    """Return a session as bytes. Raises `TypeError`, which names the key, for a value that would not come back."""
    try:
        return f'{{"version":{VERSION},"values":{_dump(dict(values))}}}'.encode()
    except TypeError:
        for key, value in values.items():
            check(key, value)
        raise


def check(key: Any, value: Any) -> None:
    """Raise `TypeError`, which names the key and not the value, if a session could not keep it."""
    try:
        _dump({key: value})
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"session[{key!r}]: this {kind}, or something in it, cannot be kept in a session") from None


def decode(data: bytes) -> dict[Any, Any] | None:
    """Read what `encode` wrote, or version 1. Anything else, whoever put it there, is None."""
    try:
        values: Any = json.loads(data)
        if _is_too_deep(values):
            return None
        if isinstance(values, dict) and values.keys() == {"version", "values"}:
            values = _untag(values["values"]) if values["version"] == VERSION else None
        return values if isinstance(values, dict) else None
    except Exception:  # whatever a tag makes of a value that is not its own
        return None


def _dump(value: Any) -> str:
    try:
        tagged = _TAGS.tag(value)
        if not _is_too_deep(tagged, _DEEPEST - 1):
            return json.dumps(tagged, separators=(",", ":"))
    except (ValueError, RecursionError):  # a number of too many digits, a list that holds itself
        pass
    raise TypeError("no JSON")


def _untag(value: Any) -> Any:
    if isinstance(value, dict):
        return _TAGS.untag({key: _untag(item) for key, item in value.items()})
    return [_untag(item) for item in value] if isinstance(value, list) else value


def _is_too_deep(value: Any, limit: int = _DEEPEST) -> bool:
    level = [value]
    for _ in range(limit):
        nested = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        level = [item for items in nested for item in items]
        if not level:
            return False
    return True


class _TagPairs(JSONTag):
    """Dicts with keys that are no texts, which JSON would make texts of."""

    __slots__ = ()
    key = " p"

    def check(self, value: Any) -> bool:
        return isinstance(value, dict) and not all(isinstance(key, str) for key in value)

    def to_json(self, value: Any) -> Any:
        return [[self.serializer.tag(key), self.serializer.tag(item)] for key, item in value.items()]

    def to_python(self, value: Any) -> Any:
        return {key: item for key, item in value}  # noqa: C416 - a pair has two


class _TagDateTime(JSONTag):
    """With microseconds and zone, which Flask's own leaves out."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return value.isoformat()

    def to_python(self, value: Any) -> Any:
        return datetime.fromisoformat(value)


class _TagDate(JSONTag):
    __slots__ = ()
    key = " da"

    def check(self, value: Any) -> bool:
        return isinstance(value, date)

    def to_json(self, value: Any) -> Any:
        return value.isoformat()

    def to_python(self, value: Any) -> Any:
        return date.fromisoformat(value)


class _TagDecimal(JSONTag):
    __slots__ = ()
    key = " de"

    def check(self, value: Any) -> bool:
        return isinstance(value, Decimal)

    def to_json(self, value: Any) -> Any:
        return str(value)

    def to_python(self, value: Any) -> Any:
        return Decimal(value)


class _Tags(TaggedJSONSerializer):
    __slots__ = ()
    default_tags = [  # noqa: RUF012 - as Flask has it; the first that fits is taken
        *(_TagPairs, TagDict, PassDict, TagTuple, PassList, TagBytes, TagMarkup, TagUUID),
        *(_TagDateTime, _TagDate, _TagDecimal),
    ]


_TAGS = _Tags()
