"""Uploads in one piece: new files, new versions, and the question whether one would be taken."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from ..content import check_etag, fields, forms, item, me, root, routes, target
from ..contents import Draft
from ..emulator import here
from ..errors import bad_parameter, refused
from ..items import Item
from ..json_body import ID, TIME, json_body, parse
from ..multipart import Form
from ..names import check_name

_ATTRIBUTES = {
    "name": str,
    "parent": {"id": ID},
    "description": str,
    "content_created_at": (TIME,),
    "content_modified_at": (TIME,),
}
_QUESTION = {"name": str, "size": int, "parent": {"id": ID}}


@routes.post("/files/content")
def upload() -> tuple[Response, int]:
    """A new file from a form whose ``attributes`` come before its bytes (OpenAPI, post_files_content)."""
    given: dict[str, Any] = {}

    def check(form: Form) -> None:
        if "attributes" not in form.fields:
            raise refused("metadata_after_file_contents")
        given.update(parse(form.fields["attributes"], _ATTRIBUTES, "name", "parent.id"))
        check_new(given["name"], given["parent"]["id"])

    with Form(here().contents) as form:
        draft = _receive(form, check)
        made = here().tree.add(
            me().id,
            given["name"],
            parent=given["parent"]["id"],
            draft=draft,
            description=given.get("description", ""),
            content_created_at=given.get("content_created_at"),
            content_modified_at=given.get("content_modified_at"),
        )
    return answer(made, "item_upload")


@routes.post("/files/<file_id>/content")
def upload_version(file_id: str) -> tuple[Response, int]:
    """New content for a file, with ``attributes`` or without (OpenAPI, post_files_id_content)."""
    file, given = item("file", file_id, "write"), dict[str, Any]()
    check_etag(file)

    def check(form: Form) -> None:
        given.update(parse(form.fields.get("attributes", b"{}"), _ATTRIBUTES))

    with Form(here().contents) as form:
        draft = _receive(form, check)
        with here().database.transaction():
            file = item("file", file_id, "write")
            check_etag(file)
            made = here().tree.add_version(file, draft, given.get("name"), given.get("content_modified_at"))
    return answer(made, "item_modify")[0], 200


@routes.route("/files/content", methods=["OPTIONS"])
def ask() -> Response:
    """Tell whether a file would be taken; nothing is kept (OpenAPI, options_files_content)."""
    wanted = json_body(_QUESTION, "name", "parent.id")
    check_new(wanted["name"], wanted["parent"]["id"])
    _check_size(wanted)
    return _taken("/files/content")


@routes.route("/files/<file_id>/content", methods=["OPTIONS"])
def ask_version(file_id: str) -> Response:
    """Tell whether a new version would be taken (guides, preflight check)."""
    file, wanted = item("file", file_id, "write"), json_body(_QUESTION)
    if "name" in wanted and wanted["name"] != file.name:
        folder = here().tree.folder(me().id, str(file.parent))
        here().tree.check_free(folder, check_name(wanted["name"]), "file", file.id)
    _check_size(wanted)
    return _taken(f"/files/{file.id}/content")


def _taken(path: str) -> Response:
    """The answer to a file that would be taken. UI Elements keep the host of the address and drop the path before
    ``/api``, so that on an app's own port there is none, and they use the one that they were given."""
    address = {} if request.script_root else {"upload_url": f"{root()}/api/2.0{path}"}
    return jsonify({**address, "upload_token": ""})


def check_new(name: str, parent: str) -> None:
    """Raise what Box would answer to a new file of this name in this folder."""
    check_name(name)
    here().tree.check_free(here().tree.folder(me().id, target(parent)), name, "file")


def answer(made: Item, interaction: str) -> tuple[Response, int]:
    """The new file, in a list (OpenAPI, Files)."""
    here().recents.add(me().id, made.id, interaction)
    return jsonify({"total_count": 1, "entries": [forms().item(made, fields())]}), 201


def _check_size(wanted: dict[str, Any]) -> None:
    size = wanted.get("size", 0)
    if size < 0:
        raise bad_parameter("size", str(size))
    here().versions.check_space(me().id, size)


def _receive(form: Form, check: Any) -> Draft:
    """Read the form, and compare the bytes with the SHA-1 that Box wants in ``Content-MD5``."""
    here().versions.check_space(me().id, max(0, (request.content_length or 0) - (1 << 20)))  # before the bytes come
    draft = form.read(request.stream, request.mimetype_params.get("boundary"), check)
    digest = request.headers.get("Content-MD5", "").strip().lower()
    if digest and digest != draft.sha1:
        raise refused("bad_digest")
    here().versions.check_space(me().id, draft.size)
    return draft
