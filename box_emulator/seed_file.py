"""Seed files: the users, files and apps that a new emulator begins with, in JSON or YAML."""

from __future__ import annotations

import base64
import importlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .apps import App
from .items import ROOT

if TYPE_CHECKING:
    from .model import Model
    from .users import User

Kind = Literal["file", "folder", "web_link"]

_APP = {"name": str, "client_id": str, "client_secret": str, "redirect_uris": list, "origins": list}
_USER = {
    "name": str,
    "login": str,
    "job_title": str,
    "space_amount": int,
    "avatar": bool,
    "role": str,
    "age": (int, float),
}
_ITEM = {"name": str, "description": str, "age": (int, float)}
_CONTENT = {"text": str, "base64": str, "file": str, "size": int}
_LARGEST = 100 * 1024**2  # bytes of a made-up file

_OLDEST = 50 * 365 * 86400  # seconds


class BadSeed(ValueError):
    """The seed makes no sense; the text says where and why."""


@dataclass(frozen=True)
class Seed:
    """What to begin with. ``folder`` is where contents named as files are; without one there can be none."""

    plan: Mapping[str, Any]
    folder: Path | None = None

    @classmethod
    def read(cls, path: Path) -> Seed:
        """Read a file. Raises `BadSeed` and `OSError`; YAML needs PyYAML, and can do what JSON can."""
        try:
            text = path.read_text(encoding="utf-8")
            plan = _yaml(text, path) if path.suffix in (".yaml", ".yml") else json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadSeed(f"{path}: {error}") from None
        return cls(plan, path.parent)

    def sow(self, model: Model) -> None:
        """Add everything to an emulator that has no users yet."""
        plan = _checked(self.plan, "The seed", {"apps": list, "users": list})
        for index, entry in enumerate(plan.get("apps", ())):
            _sow_app(model, entry, f"apps[{index}]")
        users = plan.get("users") or _fail("The seed", "has no users")
        for index, entry in enumerate(users):
            try:
                self._sow_user(model, entry, f"users[{index}]")
            except BadSeed:
                raise
            except (ValueError, OverflowError, sqlite3.Error) as error:
                _fail(f"users[{index}]", f"cannot be: {error}")

    def _sow_user(self, model: Model, entry: Any, place: str) -> None:
        parts = dict(_checked(entry, place, _USER | {"items": list}, ("name", "login")))
        items = parts.pop("items", ())
        if parts.get("role", "user") not in ("admin", "coadmin", "user"):
            _fail(place, "has a role that is not admin, coadmin or user")
        try:
            model.users.named(parts["login"])
        except KeyError:
            user = model.add_user(**parts)
        else:
            _fail(place, f"is another user with the login {parts['login']}")
        self._sow_items(model, user, items, ROOT, place)

    def _sow_items(self, model: Model, user: User, entries: Any, parent: str, above: str) -> None:
        for index, entry in enumerate(entries):
            place = f"{above}.items[{index}]"
            parts = dict(_checked(entry, place, _ITEM | _CONTENT | {"url": str, "items": list}, ("name",)))
            kind: Kind = "folder" if "items" in parts else "web_link" if "url" in parts else "file"
            items, content = parts.pop("items", ()), self._content(parts, place)
            try:
                item = model.add_item(user, type=kind, parent=parent, content=content, **parts)
            except ValueError as error:
                _fail(place, f"cannot be: {error}")
            self._sow_items(model, user, items, item.id, place)

    def _content(self, parts: dict[str, Any], place: str) -> bytes:
        given = {name: parts.pop(name) for name in _CONTENT if name in parts}
        if len(given) > 1 or (given and ("url" in parts or "items" in parts)):
            _fail(place, f"has too much: {' and '.join(given)}")
        if "file" in given:
            if self.folder is None:
                _fail(place, "names a file, which only a seed on this machine's disk may do")
            return (self.folder / str(given["file"])).read_bytes()
        if "base64" in given:
            try:
                return base64.b64decode(str(given["base64"]), validate=True)
            except ValueError as error:
                _fail(place, f"is no base64: {error}")
        if not 0 <= given.get("size", 0) <= _LARGEST:
            _fail(place, f"has a size that is not from 0 to {_LARGEST}")
        return str(given.get("text", "")).encode() or bytes(given.get("size", 0))


def _sow_app(model: Model, entry: Any, place: str) -> None:
    parts = _checked(entry, place, _APP, ("name",))
    uris, origins = (tuple(map(str, parts.get(name, ()))) for name in ("redirect_uris", "origins"))
    if "client_id" in parts:
        secret = parts.get("client_secret") or _fail(place, "has a client_id and no client_secret")
        model.apps.put(App(parts["client_id"], secret, parts["name"], uris, origins))
    else:
        model.add_app(parts["name"], uris, origins)


def _yaml(text: str, path: Path) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise BadSeed("reading YAML needs PyYAML: pip install pyyaml, or write the seed in JSON") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadSeed(str(error).replace("\n", " ")) from None


def _checked(entry: Any, place: str, allowed: Mapping[str, Any], needed: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Return the entry if it is an object with these keys, of these types."""
    if not isinstance(entry, Mapping):
        _fail(place, "is not an object")
    for name, value in entry.items():
        if name not in allowed:
            _fail(place, f"has an unknown key {name!r}; known are {', '.join(allowed)}")
        if not isinstance(value, allowed[name]) or (isinstance(value, bool) and allowed[name] is not bool):
            _fail(place, f"has a {name} of the wrong type")
        if name == "age" and not 0 <= value <= _OLDEST:  # this refuses NaN, too
            _fail(place, "has an age that is not from 0 seconds to 50 years")
        if name == "space_amount" and value is not None and not 0 <= value < 2**63:
            _fail(place, "has a space_amount that is no number of bytes")
    for name in needed:
        if not entry.get(name):
            _fail(place, f"has no {name}")
    checked: Mapping[str, Any] = entry
    return checked


def _fail(place: str, problem: str) -> NoReturn:
    raise BadSeed(f"{place} {problem}.")
