"""The pictures of users."""

from __future__ import annotations

from flask import Response, jsonify, request

from ..content import root, routes
from ..emulator import here
from ..errors import ApiError, not_found
from ..file_kinds import picture_type
from ..multipart import Form
from .users import user_of

_MOST = 1 << 20  # bytes, and 1024 pixels each way (OpenAPI, post_users_id_avatar)


@routes.get("/users/<user_id>/avatar")
def get(user_id: str) -> Response:
    user = user_of(user_id, to_change=False)
    if not user.avatar:
        raise not_found("user", user_id)
    return Response(user.avatar, content_type=picture_type(user.avatar))


@routes.post("/users/<user_id>/avatar")
def upload(user_id: str) -> tuple[Response, int]:
    """A new picture, PNG or JPEG, from a form (OpenAPI, post_users_id_avatar)."""
    user = user_of(user_id)
    with Form(here().contents) as form:
        draft = form.read(request.stream, request.mimetype_params.get("boundary"), lambda form: None)
        picture = draft.content() if 0 < draft.size <= _MOST else b""
    if not picture_type(picture):
        raise ApiError(400, "An avatar is a PNG or JPEG of at most 1 MB")
    here().users.change(user, avatar=picture)
    address = f"{root()}/2.0/users/{user.id}/avatar"
    urls = {size: f"{address}?pic_type={size}" for size in ("small", "large", "preview")}
    return jsonify({"pic_urls": urls}), 200 if user.avatar else 201


@routes.delete("/users/<user_id>/avatar")
def delete(user_id: str) -> Response:
    user = user_of(user_id)
    if not user.avatar:
        raise not_found("user", user_id)
    here().users.change(user, avatar=None)
    return Response(status=204)
