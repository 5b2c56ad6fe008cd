"""Items by their shared link."""

from __future__ import annotations

from flask import Response, g, jsonify, request

from ..access import check_item
from ..content import fields, forms, me, routes, unchanged
from ..emulator import here
from ..errors import not_found


@routes.get("/shared_items")
def find() -> Response:
    """The file, folder or web link behind the link in the header ``BoxApi`` (OpenAPI, get_shared_items)."""
    header = request.headers.get("BoxApi", "")
    opened = here().links.open(header, me().id)
    if opened is None:
        raise not_found("shared_link", header.partition("=")[2].partition("&")[0][:200])
    check_item(here(), g.grant, opened[0].id)  # a narrowed token opens no link to elsewhere
    found, g.link = opened
    return unchanged(found) or jsonify(forms().item(found, fields(), g.link))
