"""Lists of items: in a folder, in the trash, of late, and found by a search."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, g, jsonify, request

from ..clock import iso
from ..content import fields, forms, item, me, routes
from ..emulator import here
from ..errors import bad_parameter
from ..forms import Form
from ..items import ROOT, Item
from ..paging import MAX_LIMIT, Listing, number
from ..search import Search


@routes.get("/folders/<folder_id>/items")
def folder_items(folder_id: str) -> Response:
    folder = item("folder", folder_id)
    return jsonify(entries(folder, Listing.read(request.args, folder_id), fields() or []))


@routes.get("/folders/trash/items")
def trash_items() -> Response:
    """What was put into the trash by itself (OpenAPI, get_folders_trash_items)."""
    listing = Listing.read(request.args, "trash", sorted_markers=False)
    page, after, total = here().items.trash_page(me().id, listing)
    write = forms()
    return jsonify(listing.answer([write.item(found, fields() or []) for found in page], total, after, "trash"))


@routes.get("/recent_items")
def recent_items() -> Response:
    """The files that the user touched last, by marker only (OpenAPI, get_recent_items)."""
    limit, start = number(request.args, "limit", 100, 1, MAX_LIMIT), request.args.get("marker", "0")
    if not (start.isascii() and start.isdecimal() and len(start) < 6):
        raise bad_parameter("marker", start)
    found, write = here().recents.of(me().id, limit + 1, int(start)), forms()
    written = []
    for recent in found[:limit]:
        if file := here().items.find(recent.item):
            entry: Form = {"type": "recent_item", "interaction_type": recent.type, "interacted_at": iso(recent.at)}
            written.append(entry | {"item": write.item(file, fields()), "interaction_shared_link": None})
    marker = str(int(start) + limit) if len(found) > limit else None
    order = {"by": "interacted_at", "direction": "DESC"}  # not described; Box UI Elements read it
    return jsonify({"entries": written, "limit": limit, "next_marker": marker, "order": order})


@routes.get("/search")
def search() -> Response:
    """Box: without ``fields``, results are in their standard form (OpenAPI, get_search)."""
    asked = Search.read(request.args, here(), me())
    if g.grant.resource not in (None, ROOT):
        asked.within(g.grant.resource)
    found, total = asked.run(here())
    write = forms()
    written: list[Form] = [write.item(one, fields()) for one in found]
    if asked.with_links:
        results = [{"type": "search_result", "item": form, "accessible_via_shared_link": None} for form in written]
        return jsonify(asked.answer(results, total, "search_results_with_shared_links"))
    return jsonify(asked.answer(written, total, "search_results_items"))


def entries(folder: Item, listing: Listing, names: Sequence[str]) -> Form:
    """A page of a folder: entries in their mini form plus fields (OpenAPI, Items)."""
    page, after = here().items.page(folder, listing)
    write, link = forms(), g.link
    written = [write.item(found, names, link) for found in page]
    return listing.answer(written, here().items.count(folder), after, folder.id)
