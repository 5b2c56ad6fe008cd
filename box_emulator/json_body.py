"""What a client sends as JSON: checked against a shape, so that routes need not ask what a value is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import request

from .errors import ApiError, bad_parameter

_MOST = 1 << 20  # bytes; more is no honest request

ID = "id"  # digits, as text or as a number
TIME = "time"  # ISO 8601, given on as seconds since 1970
Shape = Mapping[str, Any]  # of name to str, int, bool, list, ID, TIME, another shape, or a tuple of one for "or null"


def json_body(shape: Shape, *needed: str) -> dict[str, Any]:
    """Return the request's JSON object, reduced to the shape. ``needed`` are names such as ``parent.id``.

    Box takes JSON whatever the content type says, and passes over names that it does not know. A null where none is
    meant counts as nothing.
    """
    if (request.content_length or 0) > _MOST:
        raise ApiError(413)
    data = request.get_data(cache=True)
    return parse(data, shape, *needed)


def parse(data: bytes, shape: Shape, *needed: str) -> dict[str, Any]:
    """Like `json_body`, for JSON that came in another way."""
    if len(data) > _MOST:
        raise ApiError(413)
    try:
        value = json.loads(data) if data.strip() else {}
        data.decode()
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not JSON that can be read") from None
    if not isinstance(value, dict):
        raise ApiError(400, "The body is no JSON object")
    checked: dict[str, Any] = _object(value, shape, "")
    for name in needed:
        found: Any = checked
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if found is None:
            problem = {"reason": "missing_parameter", "name": name, "message": f"'{name}' is required"}
            raise ApiError(400, problems=[problem])
    return checked


def seconds(text: str, name: str) -> float:
    """Read a time, or raise Box's 400. Without an offset it is meant as UTC."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise bad_parameter(name, text[:100]) from None


def _object(value: Mapping[str, Any], shape: Shape, prefix: str) -> dict[str, Any]:
    checked = {}
    for name, kind in shape.items():
        if name in value:
            nullable = isinstance(kind, tuple)
            if value[name] is not None:
                checked[name] = _check(value[name], kind[0] if nullable else kind, prefix + name)
            elif nullable:
                checked[name] = None
    return checked


def _check(value: Any, kind: Any, name: str) -> Any:
    if isinstance(kind, Mapping) and isinstance(value, Mapping):
        return _object(value, kind, f"{name}.")
    if kind is ID and isinstance(value, int | str) and not isinstance(value, bool):
        if str(value).isascii() and str(value).isdecimal() and len(str(value)) < 19:
            return str(value)
    elif kind is TIME and isinstance(value, str):
        return seconds(value, name)
    elif isinstance(kind, type) and type(value) is kind and _storable(value):
        return value
    shown = value if isinstance(value, str) and _storable(value) else json.dumps(value)
    raise bad_parameter(name, shown[:100])


def _storable(value: Any) -> bool:
    """Half of a surrogate pair is no text; a number beyond 64 bits does not fit into the database."""
    try:
        return (
            not isinstance(value, int) or abs(value) < 1 << 62
            if not isinstance(value, str)
            else bool(value.encode() or 1)
        )
    except UnicodeEncodeError:
        return False
