"""The people of the enterprise. Box: an admin and a service account may see and change all, others themselves."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from ..content import fields, me, root, routes
from ..emulator import here
from ..errors import ApiError, bad_parameter, not_found, refused
from ..forms import Form, user_form
from ..json_body import json_body
from ..paging import MAX_LIMIT, flag, number, offset_of
from ..users import User

_LENGTHS = {"name": 50, "job_title": 100, "phone": 100, "address": 255, "login": 255}  # OpenAPI, post_users
_STATUSES = ("active", "inactive", "cannot_delete_edit", "cannot_delete_edit_upload")
_USER: dict[str, Any] = {
    **dict.fromkeys((*_LENGTHS, "language", "timezone", "status", "role"), str),
    "space_amount": int,
    "notification_email": ({"email": str},),
}


@routes.get("/users/me")
def get_me() -> Response:
    return jsonify(_form(me()))


@routes.get("/users")
def find() -> Response:
    """The users whose name or login begins with ``filter_term`` (OpenAPI, get_users)."""
    _admin()
    limit, term = number(request.args, "limit", 100, 1, MAX_LIMIT), request.args.get("filter_term", "").casefold()
    by_marker, start = flag(request.args, "usemarker"), request.args.get("marker", "0")
    if by_marker and not (start.isascii() and start.isdecimal() and len(start) < 6):
        raise bad_parameter("marker", start[:100])
    found = [user for user in here().users if any(s.casefold().startswith(term) for s in (user.name, user.login))]
    begin = int(start) if by_marker else offset_of(request.args)
    page: Form = {"entries": [_form(user) for user in found[begin : begin + limit]], "limit": limit}
    if by_marker:
        return jsonify(page | {"next_marker": str(begin + limit) if len(found) > begin + limit else None})
    return jsonify(page | {"total_count": len(found), "offset": begin})


@routes.get("/users/<user_id>")
def get(user_id: str) -> Response:
    return jsonify(_form(user_of(user_id)))


@routes.post("/users")
def create() -> tuple[Response, int]:
    """A user with a login, or one that only the app knows (OpenAPI, post_users)."""
    _admin()
    wanted = _checked(json_body(_USER | {"is_platform_access_only": bool}, "name"))
    if not wanted.pop("is_platform_access_only", False) and "login" not in wanted:
        raise bad_parameter("login", "", "It is required.")
    email = wanted.pop("notification_email", None)
    made = here().users.add(wanted.pop("name"), wanted.pop("login", ""), **wanted)
    return jsonify(_form(here().users.change(made, notification_email=email) if email else made)), 201


@routes.put("/users/<user_id>")
def change(user_id: str) -> Response:
    user, wanted = user_of(user_id), _checked(json_body(_USER))
    if set(wanted) & {"role", "status", "space_amount", "login"}:
        _admin()
    if user.id == me().id and set(wanted) & {"role", "status"}:  # ours: nobody shuts the last door behind them
        raise refused("access_denied_insufficient_permissions")
    return jsonify(_form(here().users.change(user, **wanted)))


@routes.delete("/users/<user_id>")
def delete(user_id: str) -> Response:
    """Box: a user who has items only if told to (OpenAPI, delete_users_id). The words are ours."""
    _admin()
    user, force, emulator = user_of(user_id), flag(request.args, "force"), here()
    if user.id == me().id:
        raise refused("access_denied_insufficient_permissions")
    if not force and emulator.items.where("owner = ?", user.id):
        raise ApiError(409, "The user has items; pass force=true to delete them too")
    emulator.tree.purge_all(user.id)
    emulator.users.delete(user)
    return Response(status=204)


def user_of(user_id: str, *, to_change: bool = True) -> User:
    """Find a user; somebody else only for an admin, or to look at a picture."""
    user = here().users.get(user_id) if user_id.isascii() and user_id.isdecimal() and len(user_id) < 19 else None
    if user is None:
        raise not_found("user", user_id)
    if to_change and user.id != me().id:
        _admin()
    return user


def avatar_url(user: User) -> str:
    return f"{root()}/2.0/users/{user.id}/avatar" if user.avatar else ""


def _form(user: User) -> Form:
    return user_form(user, avatar_url(user), fields())


def _admin() -> None:
    if not me().manages:
        raise refused("access_denied_insufficient_permissions")


def _checked(wanted: dict[str, Any]) -> dict[str, Any]:
    for name, most in _LENGTHS.items():
        if len(wanted.get(name, "")) > most or (name in ("name", "login") and wanted.get(name, "x").strip() == ""):
            raise bad_parameter(name, wanted[name][:100])
    if "login" in wanted and "@" not in wanted["login"]:
        raise bad_parameter("login", wanted["login"])
    if wanted.get("status", "active") not in _STATUSES or wanted.get("role", "user") not in ("coadmin", "user"):
        raise bad_parameter("status" if wanted.get("status", "active") not in _STATUSES else "role", "")
    if wanted.get("space_amount", 0) < -1:
        raise bad_parameter("space_amount", str(wanted["space_amount"]))
    if wanted.get("space_amount") == -1:  # unlimited (OpenAPI, post_users)
        wanted["space_amount"] = 1 << 50
    if "notification_email" in wanted:
        email = (wanted["notification_email"] or {}).get("email")
        if email is not None and "@" not in email:
            raise bad_parameter("notification_email", email[:100])
        wanted["notification_email"] = email
    return wanted
