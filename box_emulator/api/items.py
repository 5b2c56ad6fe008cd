"""What can be done with files, folders and web links alike: look, change, move, copy, delete, and the trash."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from ..content import KINDS, check_etag, fields, forms, item, me, routes, target, unchanged
from ..emulator import here
from ..errors import bad_parameter, refused
from ..forms import Form
from ..items import ROOT, Item
from ..json_body import ID, TIME, json_body
from ..paging import Listing, flag
from .lists import entries

_ITEM = "/<any(files, folders, web_links):nouns>/<item_id>"
_PLACE = {"name": str, "parent": {"id": ID}}
_LINK = {
    "access": (str,),
    "password": (str,),
    "vanity_name": (str,),
    "unshared_at": (TIME,),
    "permissions": {"can_download": bool, "can_edit": bool},
}
_ANY = _PLACE | {"description": str, "shared_link": (_LINK,), "tags": list}
_LOCK = {"access": str, "type": str, "expires_at": (TIME,), "is_download_prevented": bool}
_CHANGES: dict[str, dict[str, Any]] = {
    "file": _ANY | {"lock": (_LOCK,)},
    "folder": _ANY
    | {
        "sync_state": str,
        "can_non_owners_invite": bool,
        "can_non_owners_view_collaborators": bool,
        "is_collaboration_restricted_to_enterprise": bool,
        "folder_upload_email": ({"access": str},),
    },
    "web_link": _ANY | {"url": str},
}


@routes.get(_ITEM)
def get(nouns: str, item_id: str) -> Response:
    """An item; of a folder also its first entries, which the paging parameters are about (OpenAPI, get_folders_id).

    Files and web links are found in the trash, too, but for a preview; folders are not (reported by who tried at Box).
    """
    kept = nouns == "folders" or "expiring_embed_link" in (fields() or ())
    found = item(KINDS[nouns], item_id, trashed=False if kept else None)
    listing = Listing.read(request.args, item_id, markers=False)
    return unchanged(found) or jsonify(form(found, listing))


@routes.put(_ITEM)
def change(nouns: str, item_id: str) -> Response:
    """Rename, move, describe, lock, share (OpenAPI, put_files_id, put_folders_id, put_web_links_id)."""
    emulator, found = here(), item(KINDS[nouns], item_id, "write")
    changes = json_body(_CHANGES[found.type])
    if found.id == ROOT:
        raise refused("access_denied_insufficient_permissions")
    with emulator.database.transaction():
        found = item(KINDS[nouns], item_id, "write")
        check_etag(found)
        share = changes.pop("shared_link", ...)
        if parent := changes.pop("parent", {}).get("id"):
            changes["parent"] = target(parent)
        found = emulator.tree.change(found, _details(changes))
        if share is None:
            emulator.links.remove(found)
        elif share is not ...:
            emulator.links.put(found, share)
        return jsonify(form(found))


@routes.delete(_ITEM)
def delete(nouns: str, item_id: str) -> Response:
    """Put an item into the trash. Box: a folder with items in it only if told to (OpenAPI, delete_folders_id)."""
    with here().database.transaction():
        found = item(KINDS[nouns], item_id, "write")
        check_etag(found)
        here().tree.trash(found, recursive=found.type != "folder" or flag(request.args, "recursive"))
    return Response(status=204)


@routes.post("/<any(files, folders):nouns>/<item_id>/copy")
def copy(nouns: str, item_id: str) -> tuple[Response, int]:
    found = item(KINDS[nouns], item_id, "write")
    wanted = json_body(_PLACE | {"version": ID}, "parent.id")
    made = here().tree.copy(found, target(wanted["parent"]["id"]), wanted.get("name"), wanted.get("version"))
    return jsonify(form(made)), 201


@routes.post(_ITEM)
def restore(nouns: str, item_id: str) -> tuple[Response, int]:
    """Take an item out of the trash (OpenAPI, post_files_id, post_folders_id, post_web_links_id)."""
    found = item(KINDS[nouns], item_id, "write", trashed=True)
    place = json_body(_PLACE)
    parent = place.get("parent", {}).get("id")
    back = here().tree.restore(found, parent and target(parent), place.get("name"))
    return jsonify(form(back) if fields() else forms().item(back)), 201


@routes.get(f"{_ITEM}/trash")
def look_into_trash(nouns: str, item_id: str) -> Response:
    return jsonify(forms().item(item(KINDS[nouns], item_id, trashed=True), fields()))


@routes.delete(f"{_ITEM}/trash")
def purge(nouns: str, item_id: str) -> Response:
    here().tree.purge(item(KINDS[nouns], item_id, "write", trashed=True))
    return Response(status=204)


@routes.post("/folders")
def create_folder() -> tuple[Response, int]:
    wanted = json_body(_PLACE, "name", "parent.id")
    made = here().tree.add(me().id, wanted["name"], "folder", parent=target(wanted["parent"]["id"]))
    return jsonify(form(made)), 201


@routes.post("/web_links")
def create_web_link() -> Response:
    """Box: the name is the address, unless told otherwise; the answer is 200 (OpenAPI, post_web_links)."""
    wanted = json_body(_PLACE | {"url": str, "description": str}, "url", "parent.id")
    made = here().tree.add(
        me().id,
        wanted.get("name", ""),
        "web_link",
        parent=target(wanted["parent"]["id"]),
        url=_address(wanted["url"]),
        description=_description(wanted.get("description", "")),
    )
    return jsonify(form(made))


def form(found: Item, listing: Listing | None = None) -> Form:
    """An item with what the request asked for; of a folder, the first entries come with the standard form.

    Asked for among other fields, the entries have those too: Box UI Elements shows folders from that.
    """
    wanted = fields()
    written = forms().item(found, wanted)
    if found.type == "folder" and (wanted is None or "item_collection" in wanted):
        written["item_collection"] = entries(found, listing or Listing(), wanted or [])
    return written


def _details(changes: dict[str, Any]) -> dict[str, Any]:
    """Check what only the meaning of a value can tell, and give it the form in which it is kept."""
    if "url" in changes:
        _address(changes["url"])
    _description(changes.get("description", ""))
    if any(not isinstance(tag, str) for tag in changes.get("tags", ())) or len(changes.get("tags", ())) > 100:
        raise bad_parameter("tags", str(changes["tags"])[:100])
    if (state := changes.get("sync_state", "synced")) not in ("synced", "not_synced", "partially_synced"):
        raise bad_parameter("sync_state", state)
    if email := changes.get("folder_upload_email"):
        if email.get("access", "open") not in ("open", "collaborators"):
            raise bad_parameter("folder_upload_email.access", email["access"])
        changes["folder_upload_email"] = email.get("access", "open")
    if lock := changes.get("lock"):
        now = here().clock.now()
        if lock.get("access", lock.get("type", "lock")) != "lock":
            raise bad_parameter("lock.access", str(lock.get("access")))
        prevented = lock.get("is_download_prevented", False)
        changes["lock"] = {"created_at": now, "expires_at": lock.get("expires_at"), "is_download_prevented": prevented}
    return changes


def _address(url: str) -> str:
    """Box: a web link's address begins with http:// or https:// (OpenAPI, post_web_links)."""
    if not url.lower().startswith(("http://", "https://")):
        raise bad_parameter("url", url[:100])
    return url


def _description(text: str) -> str:
    if len(text) > 256:  # OpenAPI, put_files_id
        raise bad_parameter("description", text[:100], "It has more than 256 characters.")
    return text
