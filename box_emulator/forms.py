"""How users and items look in JSON: the mini form, the standard form, and the fields that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .clock import iso
from .items import Item, Items
from .users import User

Form = dict[str, Any]
Fields = Sequence[str] | None


def asked(text: str | None) -> Fields:
    """Split the ``fields`` parameter. None, for the standard form, if there is none."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def user_form(user: User, avatar_url: str, fields: Fields = None) -> Form:
    """Box: with ``fields``, the mini form plus those; without, the standard form (OpenAPI, get_users_me)."""
    more: Form = {
        "created_at": iso(user.created_at),
        "modified_at": iso(user.modified_at),
        "language": user.language,
        "timezone": user.timezone,
        "space_amount": user.space_amount,
        "space_used": user.space_used,
        "max_upload_size": user.max_upload_size,
        "status": "active",
        "job_title": user.job_title,
        "phone": "",
        "address": "",
        "avatar_url": avatar_url,
        "notification_email": None,
    }
    if user.space_amount is None:
        del more["space_amount"], more["space_used"]
    return user_mini(user) | _choose(more, fields)


def user_mini(user: User) -> Form:
    return {"type": "user", "id": user.id, "name": user.name, "login": user.login}


@dataclass(frozen=True)
class ItemForms:
    """Writes the items of one user."""

    items: Items
    owner: User

    def mini(self, item: Item) -> Form:
        form: Form = {"type": item.type, "id": item.id, "sequence_id": item.etag, "etag": item.etag, "name": item.name}
        if item.type == "file":
            form |= {"sha1": item.sha1, "file_version": _version(item)}
        elif item.type == "web_link":
            form["url"] = item.url
        return form

    def item(self, item: Item, fields: Fields = None) -> Form:
        """Box: with ``fields``, the mini form plus those; unknown names are passed over (OpenAPI, get_folders_id)."""
        names = _STANDARD[item.type] if fields is None else [name for name in fields if name in _STANDARD[item.type]]
        return self.mini(item) | {name: _WRITERS[name](self, item) for name in names}

    def path(self, item: Item) -> Form:
        above = self.items.ancestors(item)
        return {"total_count": len(above), "entries": [self.mini(folder) for folder in above]}

    def parent(self, item: Item) -> Form | None:
        folder = self.items.get(item.owner, item.parent) if item.parent is not None else None
        return self.mini(folder) if folder else None

    def creator(self, item: Item) -> Form:
        """Nobody made a root folder: Box names a user with an empty id."""
        return user_mini(self.owner) if item.parent else {"type": "user", "id": "", "name": "", "login": ""}


def _version(item: Item) -> Form:
    """A file's current version; its id is derived from the file's, as there are no older ones yet."""
    return {"type": "file_version", "id": f"1{item.id}", "sha1": item.sha1}


def _choose(form: Form, fields: Fields) -> Form:
    return form if fields is None else {name: form[name] for name in fields if name in form}


_WRITERS: dict[str, Callable[[ItemForms, Item], object]] = {
    "description": lambda forms, item: item.description,
    "size": lambda forms, item: item.size,
    "path_collection": ItemForms.path,
    "created_at": lambda forms, item: iso(item.created_at),
    "modified_at": lambda forms, item: iso(item.modified_at),
    "trashed_at": lambda forms, item: None,
    "purged_at": lambda forms, item: None,
    "content_created_at": lambda forms, item: iso(item.created_at),
    "content_modified_at": lambda forms, item: iso(item.modified_at),
    "created_by": ItemForms.creator,
    "modified_by": lambda forms, item: user_mini(forms.owner),
    "owned_by": lambda forms, item: user_mini(forms.owner),
    "shared_link": lambda forms, item: None,
    "folder_upload_email": lambda forms, item: None,
    "parent": ItemForms.parent,
    "item_status": lambda forms, item: "active",
}
_FILE = [name for name in _WRITERS if name != "folder_upload_email"]
_LINK = [name for name in _FILE if name not in ("size", "content_created_at", "content_modified_at")]
_STANDARD = {"folder": list(_WRITERS), "file": _FILE, "web_link": _LINK}
