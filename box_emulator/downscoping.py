"""Token exchange: an access token for one that may do less, such as a page in a browser gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .access import covers
from .emulator import Emulator
from .errors import OAuthError
from .forms import mini
from .items import ROOT, Item
from .scopes import holds
from .tokens import Grant

_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name, not a token
_RESOURCE = re.compile(r"/2\.0/(file|folder)s/(\d+)/?$")


def exchange(emulator: Emulator, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the parts of the answer, or raise `OAuthError` (Box: guides, downscope a token; OpenAPI).

    There is no refresh token. How long the new token lives is not documented: here as long as the old one would.
    """
    token = form.get("subject_token", "")
    parent = emulator.tokens.authenticate(token) if form.get("subject_token_type") == _ACCESS_TOKEN else None
    if parent is None:  # RFC 8693, section 2.2.2: what Box says is not documented
        raise OAuthError("invalid_request", "The subject token is invalid.")
    scopes = form.get("scope", "").split()
    if not scopes:
        raise OAuthError("invalid_request", 'Missing parameter: "scope" is required')
    if not all(holds(parent.scope, scope) for scope in scopes):
        raise OAuthError("invalid_scope", "The subject token does not have the scopes asked for.", 401)
    item = _item(emulator, parent, form)
    grant = Grant(parent.client_id, parent.user, " ".join(scopes), item.id if item else parent.resource)
    left = max(1, round(emulator.tokens.time_left(token)))
    return {
        "access_token": emulator.tokens.issue_access(grant, left),
        "expires_in": left,
        "restricted_to": _restrictions(emulator, grant, scopes),
        "issued_token_type": _ACCESS_TOKEN,
    }


def _item(emulator: Emulator, parent: Grant, form: Mapping[str, str]) -> Item | None:
    """Find the one item that the token shall be for (box-node-sdk #168: what the user cannot see is no resource)."""
    resource, link = form.get("resource", ""), form.get("box_shared_link", "")
    if not resource and not link:
        return None
    item = _linked(emulator, parent, link) if link and not resource else _named(emulator, parent, resource)
    if item is None or (resource and link) or not covers(emulator, parent, item):
        raise OAuthError("invalid_resource", "The target resource is invalid.")
    return item


def _named(emulator: Emulator, parent: Grant, resource: str) -> Item | None:
    found = _RESOURCE.search(resource)
    item = emulator.items.get(parent.user, found[2]) if found and len(found[2]) < 19 else None
    return item if item and found and item.type == found[1] and not item.trash else None


def _linked(emulator: Emulator, parent: Grant, link: str) -> Item | None:
    """Box: not for web links, nor for links with a password (guides, downscope a token)."""
    opened = emulator.links.open(f"shared_link={quote(link, safe='')}", parent.user)
    return opened[0] if opened and opened[0].type != "web_link" and not opened[1].password else None


def _restrictions(emulator: Emulator, grant: Grant, scopes: list[str]) -> list[dict[str, Any]]:
    """Each scope with its item; those of the description only, which has none of the general scopes."""
    item = emulator.items.get(grant.user, grant.resource or ROOT)
    named = [scope for scope in scopes if scope.startswith(("annotation", "base", "item"))]
    return [{"scope": scope, "object": mini(item)} for scope in named] if item else []
