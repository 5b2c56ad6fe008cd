"""How items look in JSON beyond their mini form: a table of every field that is served."""

from __future__ import annotations

from collections.abc import Callable

from .clock import iso
from .file_kinds import extension
from .forms import Fields, Form, mini
from .item_parts import NOBODY, ItemParts, detail
from .items import ROOT, Item
from .links import Link
from .tree import TRASH_LIFETIME


class ItemForms(ItemParts):
    """Writes items for one user in one request."""

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


_Writer = Callable[[ItemForms, Item], object]


def _always(value: object) -> _Writer:
    return lambda forms, item: value


def _kept(name: str, default: object) -> _Writer:
    return lambda forms, item: detail(item, name, default)


_ALL: dict[str, _Writer] = {
    "description": lambda forms, item: item.description,
    "path_collection": ItemForms.path,
    "created_at": lambda forms, item: iso(item.created_at),
    "modified_at": lambda forms, item: iso(item.modified_at),
    "trashed_at": lambda forms, item: iso(item.trashed_at),
    "purged_at": lambda forms, item: None if item.trashed_at is None else iso(item.trashed_at + TRASH_LIFETIME),
    "created_by": lambda forms, item: forms.person(item.owner) if item.parent else NOBODY,
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
    "permissions": ItemForms.permissions,
    "tags": _kept("tags", []),
    "is_externally_owned": _always(False),
    "has_collaborations": _always(False),
    "is_accessible_via_shared_link": _always(True),
    "allowed_invitee_roles": _always(["editor", "viewer", "previewer", "uploader"]),
    "watermark_info": _always({"is_watermarked": False}),
    "classification": _always(None),
    "is_associated_with_app_item": _always(False),
    "allowed_shared_link_access_levels": lambda forms, item: (
        [] if item.id == ROOT else ["open", "company", "collaborators"]  # OpenAPI, Folder (Full)
    ),
}
# Not described; Box UI Elements ask for them to share items (box-ui-elements, content-sharing).
_SHARING: dict[str, _Writer] = {
    "shared_link_features": lambda forms, item: {
        "download_url": item.type == "file",
        "password": True,
        "vanity_name": True,
    },
    "allowed_shared_link_access_levels_disabled_reasons": _always({}),
}
_MORE_FILE: dict[str, _Writer] = {
    "version_number": ItemForms.version_number,
    "comment_count": lambda forms, item: forms.emulator.comments.count(item),
    "lock": ItemForms.lock,
    "extension": lambda forms, item: extension(item.name),
    "is_package": _always(False),
    "expires_at": _always(None),
    "expiring_embed_link": ItemForms.embed_link,
    "representations": ItemForms.representations,
    "uploader_display_name": lambda forms, item: forms.person(item.owner)["name"],
    "disposition_at": _always(None),
    "shared_link_permission_options": _always(["can_preview", "can_download", "can_edit"]),
    "is_download_available": _always(True),
    "authenticated_download_url": lambda forms, item: forms.download_url(item.id),
}
_MORE_FOLDER: dict[str, _Writer] = {
    "sync_state": _kept("sync_state", "not_synced"),
    "can_non_owners_invite": _kept("can_non_owners_invite", True),
    "can_non_owners_view_collaborators": _kept("can_non_owners_view_collaborators", True),
    "is_collaboration_restricted_to_enterprise": _kept("is_collaboration_restricted_to_enterprise", False),
}
_WRITERS = _ALL | _SIZED | _FOLDER | _MORE | _SHARING | _MORE_FILE | _MORE_FOLDER
_STANDARD = {"folder": [*_ALL, *_SIZED, *_FOLDER], "file": [*_ALL, *_SIZED], "web_link": [*_ALL]}
_SERVED = {
    "folder": {*_STANDARD["folder"], *_MORE, *_SHARING, *_MORE_FOLDER},
    "file": {*_STANDARD["file"], *_MORE, *_SHARING, *_MORE_FILE},
    "web_link": {*_STANDARD["web_link"], *_SHARING, "permissions", "tags"},
}
