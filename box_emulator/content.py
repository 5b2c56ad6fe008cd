"""The content API's door: who is asking, for which item, and whether they may. The routes are in `api`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import Blueprint, Response, g, request

from .access import check_item
from .emulator import download_url, here
from .errors import ApiError, not_found, refused, unauthorized
from .forms import Fields, asked
from .item_forms import ItemForms
from .item_parts import lock_of
from .items import Item
from .users import User


class _Routes(Blueprint):
    """Lets the modules of `api` each have a ``get``, a ``change`` and a ``delete``."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *args: Any,
        **options: Any,
    ) -> None:
        if view_func:
            endpoint = f"{view_func.__module__.rpartition('.')[2]}_{view_func.__name__}"
        super().add_url_rule(rule, endpoint, view_func, *args, **options)


routes = _Routes("content", __name__)

KINDS = {"files": "file", "folders": "folder", "web_links": "web_link"}
Need = Literal["read", "download", "write"]


@routes.before_request
def authenticate() -> Response | None:
    """Find the user of the token, or the one an admin or a service account acts for (Box: guides, As-User)."""
    user = here().users.get(g.grant.user) if g.get("grant") else None
    if user is None or user.status == "inactive":
        return unauthorized(token_given="Authorization" in request.headers)
    if (other := request.headers.get("As-User", user.id)) != user.id:
        acted = here().users.get(other)
        if not user.manages or acted is None:
            raise refused("access_denied_insufficient_permissions")
        user = acted
    g.user, g.link = user, None
    return None


def me() -> User:
    user: User = g.user
    return user


def fields() -> Fields:
    return asked(request.args.get("fields"))


def forms() -> ItemForms:
    return ItemForms(here(), me(), root(), download_url(), g.grant, request.headers.get("X-Rep-Hints", ""))


def root() -> str:
    """The address of the API as the client knows it; on an app's own port the path, good behind any proxy."""
    return request.script_root or request.url_root.rstrip("/")


def item(kind: str, item_id: str, need: Need = "read", *, trashed: bool | None = False) -> Item:
    """Find an item of the user, or one that a shared link in the header ``boxapi`` leads to.

    ``trashed`` is whether it has to be in the trash; None if either will do.

    Box: 405 for an id that is none, 404 for what is not there or in the trash (OpenAPI; guides, common errors).
    """
    if not (item_id.isascii() and item_id.isdecimal()):
        raise ApiError(405)
    emulator = here()
    check_item(emulator, g.grant, item_id)
    found = emulator.items.get(me().id, item_id) if len(item_id) < 19 else None
    if found is None and need != "write" and len(item_id) < 19:
        found = _shared(item_id, need)
    if found is None or found.type != kind:
        raise not_found(kind, item_id)
    if trashed is not None and trashed != (found.trash is not None):
        raise refused("trashed" if found.trash else "not_trashed")
    if trashed and found.trash != found.id:  # only what was put there by itself (OpenAPI, get_files_id_trash)
        raise not_found(kind, item_id)
    return found


def target(folder_id: str) -> str:
    """Check that the token is good for a folder that a body names, and return its id."""
    check_item(here(), g.grant, folder_id)
    return folder_id


def check_etag(found: Item) -> None:
    """Box: 412 if the client has seen another version than the current one (guides, ensure consistency)."""
    known = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if known and known not in (found.etag, "*"):
        raise refused("precondition_failed")


def unchanged(found: Item) -> Response | None:
    """304 if the client has this version already (OpenAPI, if-none-match)."""
    known = request.headers.get("If-None-Match", "").strip().removeprefix("W/").strip('"')
    return Response(status=304) if known and known == found.etag else None


def _shared(item_id: str, need: Need) -> Item | None:
    found, header = here().items.find(item_id), request.headers.get("BoxApi", "")
    g.link = here().links.reach(header, me().id, found) if found else None
    if found is None or g.link is None:
        return None
    if need == "download":
        if not g.link.can_download:
            raise refused("access_denied_insufficient_permissions")
        lock = lock_of(found, here().clock.now())
        if lock and lock["is_download_prevented"]:
            raise refused("access_denied_item_locked")
        here().links.count(g.link)
    return found
