"""Box's description of its API as a judge of the emulator's answers. ``BOX_OPENAPI`` names the file; it is not ours."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import request, request_finished
from jsonschema import Draft202012Validator, FormatChecker

_NULLS = {"FileVersion": ("trashed_by", "restored_by"), "RecentItem": ("interaction_shared_link",)}
_NULLS |= {"SearchResultWithSharedLink": ("accessible_via_shared_link",), "WebLink--Mini": ("sequence_id",)}

# Where the description is plainly wrong, and why it is believed to be.
PATCHES = {
    "ClientError.code is no enumeration": "the same file, and the guide on errors, name dozens of codes that it lacks, "
    "such as item_name_in_use and metadata_after_file_contents",
    "ConflictError.conflicts may be an object": "Box's UI Elements and rclone read it as one, of files",
    "shared_link requires 'access', not 'accessed'": "there is no property 'accessed', and examples have 'access'",
    "FileVersion.trashed_by and restored_by may be null": "nobody did it yet, as with trashed_at beside it",
    "interaction_shared_link may be null": "its own text says so",
    "accessible_via_shared_link may be null": "an item that was found without a link has none",
    "the forms of the trash need but an id and a type": "with 'fields', which these operations take, they are mini "
    "forms; that standard forms are complete is tested by itself",
    "tags may be an empty list": "'minItems: 1' is about what is sent; an item without tags has none to give",
}


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Description:
    """Which answers the description allows."""

    def __init__(self, path: str) -> None:
        text = _patched(json.loads(Path(path).read_text()))
        self._schemas = {"components": {"schemas": text["components"]["schemas"]}}
        self._paths = [
            (re.compile(re.sub(r"\\{[^/.}]+\\}", "[^/]+", re.escape(path.partition("#")[0]))), path, operations)
            for path, operations in text["paths"].items()
        ]
        self._paths.sort(key=lambda entry: entry[1].count("{"))  # /folders/trash/items before /folders/{id}/items
        self._validators: dict[str, Any] = {}

    def problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Tell what is wrong with an answer; nothing, if the description does not cover the request."""
        covering = [
            (name, operations[method.lower()])
            for pattern, name, operations in self._paths
            if pattern.fullmatch(path) and method.lower() in operations
        ]
        if not covering or (isinstance(body, dict) and body.get("code") == "not_implemented"):
            return []
        exact = [entry for entry in covering if entry[0].count("{") == covering[0][0].count("{")]
        found = [self._judge(name, method, operation, status, body) for name, operation in exact]
        return min(found, key=len)  # paths such as /shared_items#folders differ in what they answer only

    def keys(self, schema: str) -> set[str]:
        """Return the names of all properties of a schema."""
        return _properties(self._schemas["components"]["schemas"], {"$ref": f"#/components/schemas/{schema}"})

    def _judge(self, name: str, method: str, operation: Any, status: int, body: Any) -> list[str]:
        where = f"{method} {name} {status}"
        described = operation["responses"].get(str(status))
        if described is None and status < 400:
            return [f"{where}: not described"]
        content = (described or operation["responses"]["default"]).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None or body is None:
            empty = body is None and (status in (401, 403, 304) or schema is None)
            return [] if empty or schema is None else [f"{where}: a body is missing"]
        errors = self._validator(schema).iter_errors(body)
        return [f"{where}: {error.json_path}: {error.message[:200]}" for error in errors]

    def _validator(self, schema: Any) -> Any:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({**self._schemas, **schema}, format_checker=_FORMATS)
        return self._validators[key]


@lru_cache
def description() -> Description | None:
    """Return the description, if there is one to check against."""
    path = os.environ.get("BOX_OPENAPI")
    return Description(path) if path else None


@contextmanager
def watch(judge: Description) -> Iterator[list[str]]:
    """Judge every answer of this process's emulators meanwhile, and give the list of what is wrong with them."""
    problems: list[str] = []

    def look(sender: Any, response: Any, **more: Any) -> None:
        emulator = request.environ.get("box_emulator.emulator")
        if emulator is None or emulator.options.token_overrides:  # another app, or one that was asked to be wrong
            return
        if "Access-Control-Request-Method" in request.headers:  # the browser's question, not Box's
            return
        if response.is_streamed or not (response.is_json or not response.data):
            return
        path = re.sub(r"^(/api)?/2\.0", "", request.path).rstrip("/")
        body = json.loads(response.data) if response.data else None
        problems.extend(judge.problems(request.method, path, response.status_code, body))

    with request_finished.connected_to(look):
        yield problems


def _patched(text: Any) -> Any:
    text = deepcopy(text)
    schemas = text["components"]["schemas"]
    del schemas["ClientError"]["properties"]["code"]["enum"]
    for name in schemas:
        if name.startswith("Trash"):
            schemas[name]["required"] = ["id", "type"]
    schemas["ConflictError"] = {"$ref": "#/components/schemas/ClientError"}
    for schema, names in _NULLS.items():
        for name in names:
            _find(schemas[schema], name)["nullable"] = True
    return _plain(text)


def _find(schema: Any, name: str) -> Any:
    """Return the definition of a property; one that only refers to another gets a place of its own."""
    for part in [schema, *schema.get("allOf", [])]:
        if name in part.get("properties", {}):
            found = part["properties"][name]
            if "$ref" in found:
                found = part["properties"][name] = {"allOf": [found]}
            return found
    raise KeyError(name)


def _plain(value: Any) -> Any:
    """Turn OpenAPI 3.0 into JSON Schema: what may be null says so by its type, or by an alternative."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    value = {key: _plain(part) for key, part in value.items() if key not in ("example", "examples")}
    required = value.get("required")
    if isinstance(required, list):
        value["required"] = ["access" if name == "accessed" else name for name in required]
    if value.get("minItems") == 1:
        del value["minItems"]
    marks = [part for part in value.get("allOf", ()) if isinstance(part, dict) and "$ref" not in part]
    bare = [part for part in marks if part.get("anyOf") == _NULL_OR_ANYTHING]
    if value.pop("nullable", False) is True or bare:
        rest = {key: part for key, part in value.items() if key not in ("title", "description")}
        return {"anyOf": [{"type": "null"}, rest or {}]}
    return value


_NULL_OR_ANYTHING = [{"type": "null"}, {}]


def _properties(schemas: Any, schema: Any) -> set[str]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    names = set(schema.get("properties", {}))
    for part in [*schema.get("allOf", []), *schema.get("anyOf", [])]:
        names |= _properties(schemas, part)
    return names
