"""Putting made-up items into an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..items import Item
    from ..model import Model
    from ..users import User

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class File:
    """A file of some age in seconds. ``before`` are older versions with their ages, the oldest first.

    ``comments`` are texts with their ages. ``recent`` puts it among what its owner touched last.
    """

    content: str | bytes
    age: float
    description: str = ""
    before: Sequence[tuple[str | bytes, float]] = ()
    comments: Sequence[tuple[str, float]] = ()
    recent: bool = False


@dataclass(frozen=True)
class Folder:
    items: Mapping[str, Folder | File] = field(default_factory=dict)
    age: float = DAY


def plant(model: Model, owner: User, items: Mapping[str, Folder | File], parent: Item | str = "0") -> None:
    """Add items, given by their names."""
    for name, planned in items.items():
        if isinstance(planned, Folder):
            folder = model.add_item(owner, name, "folder", parent=parent, age=planned.age)
            plant(model, owner, planned.items, folder)
        else:
            _plant_file(model, owner, name, planned, parent)


def _plant_file(model: Model, owner: User, name: str, planned: File, parent: Item | str) -> None:
    versions = [*planned.before, (planned.content, planned.age)]
    content, age = versions[0]
    description = planned.description
    file = model.add_item(owner, name, parent=parent, content=_bytes(content), description=description, age=age)
    for content, age in versions[1:]:
        file = model.add_version(file, _bytes(content), age=age)
    now = model.clock.now()
    for message, age in planned.comments:
        model.comments.add(file, owner.id, message, at=now - age)
    if planned.recent:
        model.recents.add(owner.id, file.id, "item_upload", at=now - planned.age)


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
