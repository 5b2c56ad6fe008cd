"""Comments on files."""

from __future__ import annotations

from flask import Response, jsonify, request

from ..comments import Comment
from ..content import fields, forms, item, me, routes
from ..emulator import here
from ..errors import ApiError, bad_parameter, not_found, refused
from ..forms import Form, comment_form
from ..json_body import ID, json_body
from ..paging import MAX_LIMIT, number, offset_of

_COMMENT = {"message": str, "tagged_message": str, "item": {"type": str, "id": ID}}


@routes.get("/files/<file_id>/comments")
def of_file(file_id: str) -> Response:
    file = item("file", file_id)
    limit, offset = number(request.args, "limit", 100, 1, MAX_LIMIT), offset_of(request.args)
    entries = [_form(comment) for comment in here().comments.of(file, limit, offset)]
    total = here().comments.count(file)
    return jsonify({"total_count": total, "entries": entries, "limit": limit, "offset": offset, "order": []})


@routes.post("/comments")
def create() -> tuple[Response, int]:
    """Comment on a file, or reply to a comment (OpenAPI, post_comments)."""
    wanted = json_body(_COMMENT, "item.id", "item.type")
    message = wanted.get("message") or wanted.get("tagged_message") or ""
    if not message.strip():
        raise bad_parameter("message", message)
    kind, reply_to = wanted["item"]["type"], None
    if kind == "comment":
        reply_to = _comment(wanted["item"]["id"])
        file = item("file", reply_to.item)
    elif kind == "file":
        file = item("file", wanted["item"]["id"])
    else:
        raise bad_parameter("item.type", kind[:100])
    tagged = wanted.get("tagged_message", "")
    comment = here().comments.add(file, me().id, message, tagged, reply_to.id if reply_to else None)
    here().recents.add(me().id, file.id, "item_comment")
    return jsonify(_form(comment)), 201


@routes.get("/comments/<comment_id>")
def get(comment_id: str) -> Response:
    return jsonify(_form(_comment(comment_id)))


@routes.put("/comments/<comment_id>")
def change(comment_id: str) -> Response:
    """Box: only who wrote a comment may change it."""
    comment = _own(comment_id)
    here().comments.change(comment, json_body(_COMMENT, "message")["message"])
    return jsonify(_form(_comment(comment_id)))


@routes.delete("/comments/<comment_id>")
def delete(comment_id: str) -> Response:
    here().comments.delete(_own(comment_id))
    return Response(status=204)


def _own(comment_id: str) -> Comment:
    comment = _comment(comment_id)
    if comment.author != me().id:
        raise refused("access_denied_insufficient_permissions")
    return comment


def _comment(comment_id: str) -> Comment:
    """Find a comment on a file that the user can see."""
    if not (comment_id.isascii() and comment_id.isdecimal()):
        raise ApiError(405)
    comment = here().comments.get(comment_id) if len(comment_id) < 19 else None
    if comment is None:
        raise not_found("comment", comment_id)
    item("file", comment.item)
    return comment


def _form(comment: Comment) -> Form:
    return comment_form(comment, forms().person, fields())
