"""How items look in JSON beyond their mini form: a table of every field that is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .clock import iso
from .forms import Fields, Form, link_form, mini, user_mini
from .items import Item
from .links import Link
from .scopes import PERMISSIONS, allows
from .tree import TRASH_LIFETIME
from .users import User

if TYPE_CHECKING:
    from .emulator import Emulator

_NOBODY = {"type": "user", "id": "", "name": "", "login": ""}  # who made a root folder, in Box's answers
_TRASH = {"type": "folder", "id": "1", "sequence_id": None, "etag": None, "name": "Trash"}


class ItemForms:
    """Writes items for one user in one request: what it looked up, it does not look up again.

    ``root`` and ``downloads`` are the addresses of the API and of the download host, without a slash at the end.
    ``scope`` is that of the token: what it does not allow is not among the permissions.
    """

    def __init__(
        self, emulator: Emulator, viewer: User, root: str = "", downloads: str = "", scope: str | None = None
    ) -> None:
        self.emulator = emulator
        self.viewer = viewer
        self.root = root
        self.downloads = downloads
        self.scope = scope
        self._people: dict[str, Form] = {}
        self._paths: dict[tuple[str, str | None], list[Form]] = {}

    def item(self, item: Item, fields: Fields = None, link: Link | None = None) -> Form:
        """Box: with ``fields``, the mini form plus those; unknown names are passed over (OpenAPI, get_folders_id).

        ``link`` is the shared link by which somebody else's item was reached.
        """
        form = mini(item)
        for name in _STANDARD[item.type] if fields is None else fields:
            if name in _SERVED[item.type]:
                form[name] = _WRITERS[name](self, item)
        if link and "permissions" in form:
            form["permissions"] |= dict.fromkeys(form["permissions"], False) | {
                "can_preview": True,
                "can_download": link.can_download,
            }
        return form

    def person(self, user_id: str) -> Form:
        if user_id not in self._people:
            user = self.emulator.users.get(user_id)
            self._people[user_id] = user_mini(user) if user else _NOBODY
        return self._people[user_id]

    def path(self, item: Item) -> Form:
        """The folders above; of somebody else's item, none. Of what is in the trash, the trash."""
        if item.trash:
            return {"total_count": 1, "entries": [_TRASH]}
        above = self._above(item) if item.owner == self.viewer.id else []
        return {"total_count": len(above), "entries": above}

    def parent(self, item: Item) -> Form | None:
        folder = self.emulator.items.get(item.owner, item.parent) if item.parent is not None else None
        return mini(folder) if folder and item.owner == self.viewer.id else None

    def shared_link(self, item: Item) -> Form | None:
        link = self.emulator.links.of(item)
        return link_form(link, item, self.root, self.downloads) if link else None

    def lock(self, item: Item) -> Form | None:
        lock = lock_of(item, self.emulator.clock.now())
        if lock is None:
            return None
        form: Form = {
            "type": "lock",
            "id": item.id,
            "created_by": self.person(item.owner),
            "created_at": iso(lock["created_at"]),
            "expired_at": iso(lock["expires_at"]),
            "is_download_prevented": lock["is_download_prevented"],
            "app_type": None,
        }
        return {name: value for name, value in form.items() if name == "app_type" or value is not None}

    def upload_email(self, item: Item) -> Form | None:
        access = _detail(item, "folder_upload_email", None)
        return access and {"access": access, "email": f"upload.{item.id}@u.box.com"}

    def version_number(self, item: Item) -> str:
        return str(self.emulator.versions.get(item, str(item.version)).number)

    def _above(self, item: Item) -> list[Form]:
        key = (item.owner, item.parent)
        if key not in self._paths:
            self._paths[key] = [mini(folder) for folder in self.emulator.items.ancestors(item)]
        return self._paths[key]


def lock_of(item: Item, now: float) -> dict[str, Any] | None:
    """Return a file's lock, if it has one that is not over."""
    lock: dict[str, Any] | None = _detail(item, "lock", None)
    return lock if lock and (lock["expires_at"] is None or lock["expires_at"] > now) else None


def _detail(item: Item, name: str, default: Any) -> Any:
    return json.loads(item.details).get(name, default)


def _permissions(forms: ItemForms, item: Item) -> Form:
    """Box UI Elements show what these allow, so that they follow the token's scopes (Box: guides, dedicated scopes)."""
    names = ["can_download", "can_upload", "can_rename", "can_delete", "can_share", "can_invite_collaborator"]
    names.append("can_set_share_access")
    if item.type == "file":
        names += ["can_preview", "can_comment", "can_annotate", "can_view_annotations_all", "can_view_annotations_self"]
    return {name: allows(forms.scope, PERMISSIONS.get(name, "PUT /files/:id")) for name in names}


_Writer = Callable[[ItemForms, Item], object]


def _always(value: object) -> _Writer:
    return lambda forms, item: value


def _kept(name: str, default: object) -> _Writer:
    return lambda forms, item: _detail(item, name, default)


_ALL: dict[str, _Writer] = {
    "description": lambda forms, item: item.description,
    "path_collection": ItemForms.path,
    "created_at": lambda forms, item: iso(item.created_at),
    "modified_at": lambda forms, item: iso(item.modified_at),
    "trashed_at": lambda forms, item: iso(item.trashed_at),
    "purged_at": lambda forms, item: None if item.trashed_at is None else iso(item.trashed_at + TRASH_LIFETIME),
    "created_by": lambda forms, item: forms.person(item.owner) if item.parent else _NOBODY,
    "modified_by": lambda forms, item: forms.person(item.owner),
    "owned_by": lambda forms, item: forms.person(item.owner),
    "shared_link": ItemForms.shared_link,
    "parent": ItemForms.parent,
    "item_status": lambda forms, item: "trashed" if item.trash else "active",
}
_SIZED: dict[str, _Writer] = {
    "size": lambda forms, item: item.size,
    "content_created_at": lambda forms, item: iso(item.content_created_at),
    "content_modified_at": lambda forms, item: iso(item.content_modified_at),
}
_FOLDER: dict[str, _Writer] = {"folder_upload_email": ItemForms.upload_email}
# Not in the standard forms: for who asks.
_MORE: dict[str, _Writer] = {
    "permissions": _permissions,
    "tags": _kept("tags", []),
    "is_externally_owned": _always(False),
    "has_collaborations": _always(False),
    "is_accessible_via_shared_link": _always(True),
    "allowed_invitee_roles": _always(["editor", "viewer", "previewer", "uploader"]),
    "watermark_info": _always({"is_watermarked": False}),
    "classification": _always(None),
    "is_associated_with_app_item": _always(False),
    "allowed_shared_link_access_levels": _always(["open", "company", "collaborators"]),
}
_MORE_FILE: dict[str, _Writer] = {
    "version_number": ItemForms.version_number,
    "comment_count": lambda forms, item: forms.emulator.comments.count(item),
    "lock": ItemForms.lock,
    "extension": lambda forms, item: item.name.rpartition(".")[2] if "." in item.name else "",
    "is_package": _always(False),
    "expires_at": _always(None),
    "representations": _always({"entries": []}),
    "uploader_display_name": lambda forms, item: forms.person(item.owner)["name"],
    "disposition_at": _always(None),
    "shared_link_permission_options": _always(["can_preview", "can_download", "can_edit"]),
    "is_download_available": _always(True),
    "authenticated_download_url": lambda forms, item: f"{forms.root}/2.0/files/{item.id}/content",
}
_MORE_FOLDER: dict[str, _Writer] = {
    "sync_state": _kept("sync_state", "not_synced"),
    "can_non_owners_invite": _kept("can_non_owners_invite", True),
    "can_non_owners_view_collaborators": _kept("can_non_owners_view_collaborators", True),
    "is_collaboration_restricted_to_enterprise": _kept("is_collaboration_restricted_to_enterprise", False),
}
_WRITERS = _ALL | _SIZED | _FOLDER | _MORE | _MORE_FILE | _MORE_FOLDER
_STANDARD = {"folder": [*_ALL, *_SIZED, *_FOLDER], "file": [*_ALL, *_SIZED], "web_link": [*_ALL]}
_SERVED = {
    "folder": {*_STANDARD["folder"], *_MORE, *_MORE_FOLDER},
    "file": {*_STANDARD["file"], *_MORE, *_MORE_FILE},
    "web_link": {*_STANDARD["web_link"], "permissions", "tags"},
}
