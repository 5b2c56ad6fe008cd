"""The versions of a file."""

from __future__ import annotations

from flask import Response, jsonify, request

from ..content import check_etag, fields, forms, item, me, routes
from ..emulator import here
from ..errors import bad_parameter
from ..file_kinds import extension
from ..forms import Form, version_form
from ..json_body import ID, json_body
from ..paging import MAX_LIMIT, number, offset_of
from ..versions import Version


@routes.get("/files/<file_id>/versions")
def past(file_id: str) -> Response:
    """The versions before the current one, newest first (OpenAPI, get_files_id_versions)."""
    file = item("file", file_id)
    limit, offset = number(request.args, "limit", MAX_LIMIT, 1, MAX_LIMIT), offset_of(request.args)
    found, total = here().versions.past(file, limit, offset)
    entries = [_form(version) for version in found]
    return jsonify({"total_count": total, "entries": entries, "limit": limit, "offset": offset, "order": []})


@routes.get("/files/<file_id>/versions/<version_id>")
def get(file_id: str, version_id: str) -> Response:
    return jsonify(_form(here().versions.get(item("file", file_id), version_id)))


@routes.post("/files/<file_id>/versions/current")
def promote(file_id: str) -> tuple[Response, int]:
    wanted = json_body({"id": ID}, "id")["id"]
    with here().database.transaction():
        file = item("file", file_id, "write")
        name = here().versions.get(file, wanted).name
        here().tree.check_free(here().tree.folder(file.owner, str(file.parent)), name, "file", file.id)
        return jsonify(_form(here().versions.promote(file, wanted))), 201


@routes.delete("/files/<file_id>/versions/<version_id>")
def delete(file_id: str, version_id: str) -> Response:
    """Put an old version into the trash."""
    file = item("file", file_id, "write")
    check_etag(file)
    here().versions.bin(file, version_id, trashed=True)
    return Response(status=204)


@routes.put("/files/<file_id>/versions/<version_id>")
def restore(file_id: str, version_id: str) -> Response:
    """Take an old version out of the trash: ``{"trashed_at": null}`` (OpenAPI, put_files_id_versions_id)."""
    file = item("file", file_id, "write")
    wanted = json_body({"trashed_at": (str,)})
    if "trashed_at" not in wanted or wanted["trashed_at"]:
        raise bad_parameter("trashed_at", str(wanted.get("trashed_at")))
    return jsonify(_form(here().versions.bin(file, version_id, trashed=False)))


def _form(version: Version) -> Form:
    """Box UI Elements ask for more than is described (box-ui-elements, FILE_VERSION_FIELDS_TO_FETCH)."""
    write = forms()
    more: Form = {
        "permissions": write.version_permissions(),
        "extension": extension(version.name),
        "is_download_available": version.trashed_at is None,
        "authenticated_download_url": write.download_url(version.item, version.id),
    }
    return version_form(version, me(), fields(), more)
