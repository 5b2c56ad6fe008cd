"""Scopes: what each lets an access token do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

_READ = (
    "GET /files*",
    "GET /folders*",
    "GET /web_links*",
    "GET /comments*",
    "GET /search",
    "GET /recent_items",
    "GET /shared_items*",
    "GET /internal_files/*",
    "GET /users/me",
    "GET /users/:id*",
    "OPTIONS /files*",
    "POST /zip_downloads",
    "GET /zip_downloads/*",
)
_WRITE = tuple(
    f"{method} /{items}*"
    for method in ("POST", "PUT", "DELETE")
    for items in ("files", "folders", "web_links", "comments")
)
_BROWSE = ("GET /folders/:id", "GET /folders/:id/items", "GET /files/:id", "GET /web_links/:id", "GET /search")
_LOOK = ("GET /files/:id", "GET /files/:id/thumbnail*", "GET /internal_files/*")
_PUT = (
    "GET /folders/:id",
    "POST /folders",
    "OPTIONS /files*content",
    "POST /files*content",
    "POST /files*upload_sessions",
    *(f"{method} /files/upload_sessions/:id*" for method in ("GET", "POST", "PUT", "DELETE")),
)
_FACES = ("GET /users/me", "GET /users/:id/avatar")
_ITEMS = ("files", "folders", "web_links")

# Box: guides, scopes. Which calls a scope opens is not documented: these are the calls that what it is said to allow
# needs. After PUT of an item comes what is changed: its name, its place, its shared link, or something else.
SCOPES: dict[str, tuple[str, ...]] = {
    "root_readonly": _READ,
    "root_readwrite": _READ + _WRITE,
    "manage_managed_users": ("* /users*",),
    "manage_app_users": ("* /users*",),
    "base_explorer": _BROWSE,
    "base_picker": _BROWSE,
    "base_preview": _LOOK,
    "base_sidebar": ("GET /files/:id", "GET /files/:id/versions*", "GET /files/:id/comments", *_FACES),
    "base_upload": _PUT,
    "item_comment": ("POST /comments", "PUT /comments/:id", "DELETE /comments/:id"),
    "item_delete": tuple(f"DELETE /{items}/:id" for items in _ITEMS),
    "item_download": ("GET /files/:id/content", "POST /zip_downloads", "GET /zip_downloads/*"),
    "item_preview": _LOOK,
    "item_read": _BROWSE,
    "item_rename": tuple(f"PUT /{items}/:id name" for items in _ITEMS),
    "item_share": tuple(f"PUT /{items}/:id shared_link" for items in _ITEMS),
    "item_upload": _PUT,
}
# Scopes that Box knows and that open nothing that the emulator serves.
SCOPES |= dict.fromkeys(
    (
        *("annotation_edit", "annotation_view_all", "annotation_view_self", "item_task"),
        *("manage_groups", "manage_webhook", "manage_enterprise_properties", "manage_data_retention"),
        *("manage_legal_holds", "manage_triggers", "enterprise_content", "sign_requests.readwrite", "ai.readwrite"),
    ),
    (),
)

# What a token needs to have a permission of an item.
PERMISSIONS = {
    "can_comment": "POST /comments",
    "can_delete": "DELETE /files/:id",
    "can_download": "GET /files/:id/content",
    "can_preview": "GET /files/:id/thumbnail",
    "can_rename": "PUT /files/:id name",
    "can_set_share_access": "PUT /files/:id shared_link",
    "can_share": "PUT /files/:id shared_link",
    "can_upload": "POST /files/content",
}


def operations(method: str, path: str, changed: Iterable[str] = ()) -> list[str]:
    """Return what a request does, in the words of the table. ``changed`` are the keys of the body of a PUT."""
    shape = re.sub(r"(?<=/)\d+(?=/|$)|(?<=upload_sessions/)[^/]+", ":id", path.rstrip("/"))
    operation = f"{method} {shape}"
    if method == "PUT" and re.fullmatch(r"/(files|folders|web_links)/:id", shape):
        return [f"{operation} {key}" for key in changed] or [operation]
    return [operation]


@lru_cache(maxsize=4096)
def allows(scope: str | None, operation: str) -> bool:
    """Tell whether a token with these scopes, all if None, is good for the operation."""
    if scope is None:
        return True
    return any(fnmatchcase(operation, pattern) for name in scope.split() for pattern in SCOPES.get(name, ()))


def holds(scope: str | None, wanted: str) -> bool:
    """Tell whether a token with these scopes may be exchanged for one with the wanted scope."""
    if wanted not in SCOPES:
        return False
    if scope is None or wanted in scope.split():
        return True
    return bool(SCOPES[wanted]) and all(allows(scope, operation) for operation in SCOPES[wanted])
