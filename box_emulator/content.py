"""The content API: users, folders and files."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, g, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from .downloads import signed_path
from .emulator import here
from .errors import ApiError, not_found, unauthorized
from .forms import ItemForms, asked, user_form
from .items import Item
from .paging import Listing
from .users import User

routes = Blueprint("content", __name__, url_prefix="/2.0")


@routes.before_request
def authenticate() -> Response | None:
    """Box: a bearer token in the Authorization header (guides, access tokens)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token_given = scheme.lower() == "bearer" and bool(token)
    user_id = here().tokens.authenticate(token.strip()) if token_given else None
    user = here().users.get(user_id) if user_id else None
    if user is None:
        return unauthorized(token_given=token_given)
    g.user = user
    return None


@routes.get("/users/me")
def me() -> Response:
    user: User = g.user
    avatar_url = f"{request.url_root}2.0/users/{user.id}/avatar" if user.avatar else ""
    return jsonify(user_form(user, avatar_url, asked(request.args.get("fields"))))


@routes.get("/users/<user_id>/avatar")
def avatar(user_id: str) -> Response:
    user = here().users.get(user_id)
    if user is None or not user.avatar:
        raise not_found("user", user_id)
    return Response(user.avatar, content_type="image/png")


@routes.get("/folders/<folder_id>")
def folder(folder_id: str) -> Response:
    """A folder with its first entries; the paging parameters are about those (OpenAPI, get_folders_id)."""
    item, fields = _item("folder", folder_id), asked(request.args.get("fields"))
    listing = Listing.read(request.args, folder_id, markers=False)
    if unchanged := _unchanged(item):
        return unchanged
    form = _forms().item(item, fields)
    if fields is None or "item_collection" in fields:
        form["item_collection"] = _entries(item, listing, [])
    return jsonify(form)


@routes.get("/folders/<folder_id>/items")
def folder_items(folder_id: str) -> Response:
    item = _item("folder", folder_id)
    return jsonify(_entries(item, Listing.read(request.args, folder_id), asked(request.args.get("fields")) or []))


@routes.get("/files/<file_id>")
def file(file_id: str) -> Response:
    item = _item("file", file_id)
    return _unchanged(item) or jsonify(_forms().item(item, asked(request.args.get("fields"))))


@routes.get("/files/<file_id>/content")
def file_content(file_id: str) -> BaseResponse:
    """Send the client to the download host (OpenAPI, get_files_id_content)."""
    return redirect(current_app.config["DOWNLOAD_URL"] + signed_path(here(), _item("file", file_id).id))


def _entries(folder: Item, listing: Listing, fields: Sequence[str]) -> dict[str, object]:
    """A page of a folder: entries in their mini form plus fields (OpenAPI, Items).

    With a marker there is no total, no offset and no order.
    """
    items, forms = here().items, _forms()
    page, after = items.page(folder, listing)
    entries = [forms.item(item, fields) for item in page]
    if listing.by_marker:
        marker = listing.marker(after, folder.id) if after else None
        return {"entries": entries, "limit": listing.limit, "next_marker": marker}
    return {
        "total_count": items.count(folder),
        "entries": entries,
        "offset": listing.offset,
        "limit": listing.limit,
        "order": [{"by": "type", "direction": "ASC"}, {"by": listing.sort, "direction": listing.direction}],
    }


def _item(kind: str, item_id: str) -> Item:
    """Find an item of the user. Box: 405 for an id that is none, 404 for what is not there (OpenAPI)."""
    if not (item_id.isascii() and item_id.isdecimal()):
        raise ApiError(405)
    item = here().items.get(g.user.id, item_id)
    if item is None or item.type != kind:
        raise not_found(kind, item_id)
    return item


def _forms() -> ItemForms:
    return ItemForms(here().items, g.user)


def _unchanged(item: Item) -> Response | None:
    """304 if the client has this version already (OpenAPI, if-none-match)."""
    known = item.etag is not None and request.headers.get("If-None-Match", "").strip('"') == item.etag
    return Response(status=304) if known else None
