"""Whether a call of the content API may be made at all: by this page, this token, now, on this item."""

from __future__ import annotations

import re

from flask import Response, g, request

from . import cors
from .emulator import Emulator, here
from .errors import insufficient_scope, refused, too_many_requests
from .items import ROOT, Item
from .scopes import allows, operations
from .tokens import Grant

_CONTENT_API = re.compile(r"/2\.0(/.*)")
_TOKEN_IN_ADDRESS = re.compile(r".*/(content|avatar|thumbnail\.\w+|representations/\w+(/content/.*)?)")
_EVERYWHERE = ("GET /folders/trash/items", "GET /recent_items")  # lists that know no folder


def check() -> Response | None:
    """Run before every route. A call without a good token passes: the routes have an answer to that."""
    path = _CONTENT_API.fullmatch(request.path)
    if path is None:
        return None
    if answer := cors.preflight():
        return answer
    emulator, token = here(), bearer()
    app = emulator.apps.get(emulator.tokens.issuer(token) or "") if "Origin" in request.headers else None
    if app:
        cors.check_origin(app)
    grant = g.grant = emulator.tokens.authenticate(token)
    if grant is None or request.url_rule is None:
        return None
    doing = operations(request.method, path[1], _changed() if grant.scope else ())
    if not all(allows(grant.scope, operation) for operation in doing):
        return insufficient_scope()
    if emulator.options.rate_limits and (wait := emulator.limits.count(grant.user, doing[0], emulator.clock.now())):
        return too_many_requests(wait)
    if grant.resource not in (None, ROOT) and doing[0] in _EVERYWHERE:
        raise refused("access_denied_insufficient_permissions")
    return None


def check_item(emulator: Emulator, grant: Grant, item_id: str) -> None:
    """Raise 403 unless the token is good for this item. Box: the words are documented (guides, common errors)."""
    if grant.resource in (None, ROOT, item_id):
        return
    item = emulator.items.find(item_id) if len(item_id) < 19 else None
    if item_id == ROOT or (item and not covers(emulator, grant, item)):
        raise refused("access_denied_insufficient_permissions")


def covers(emulator: Emulator, grant: Grant, item: Item) -> bool:
    """Tell whether the item is the one that the token is for, or below it."""
    if grant.resource in (None, ROOT, item.id):
        return True
    return any(folder.id == grant.resource for folder in emulator.items.ancestors(item))


def bearer() -> str:
    """Return the access token of the request, empty if there is none (Box: guides, access tokens).

    A download may have it in its address instead (OpenAPI, get_files_id_content), and so may a picture: Box UI Elements
    show avatars and thumbnails by such an address.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token and request.method in ("GET", "HEAD") and _TOKEN_IN_ADDRESS.fullmatch(request.path):
        return request.args.get("access_token", "")
    return token.strip() if scheme.lower() == "bearer" else ""


def _changed() -> list[str]:
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        return []
    return sorted(body) if isinstance(body, dict) else []
