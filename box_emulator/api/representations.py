"""The representations of a file: whether one is ready, and what it is."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, jsonify, request

from ..content import forms, item, routes
from ..downloads import sent
from ..emulator import here
from ..errors import bad_parameter, not_found
from ..items import Item
from ..renderings import small_picture, text
from ..representations import Representation, possible
from ..versions import Version

_REPRESENTATION = "/internal_files/<file_id>/versions/<version_id>/representations/<name>"


@routes.get(_REPRESENTATION)
def info(file_id: str, version_id: str, name: str) -> Response:
    file, version, found = _find(file_id, version_id, name)
    return jsonify(forms().representation(file, version.id, found))


@routes.get(f"{_REPRESENTATION}/content/", defaults={"asset": ""})
@routes.get(f"{_REPRESENTATION}/content/<path:asset>")
def rendered(file_id: str, version_id: str, name: str, asset: str) -> Response:
    """The representation itself. ``asset`` is its page; everything here has one (OpenAPI, representations)."""
    file, version, found = _find(file_id, version_id, name)
    if here().options.representations_pending:
        return Response(status=202, headers={"Retry-After": "1"})
    if found.size:
        picture, kind = small_picture(here(), version, found.kind, found.size)
        answer = Response(picture, content_type=kind)
    elif found.kind == "extracted_text":
        answer = Response(text(here(), file, version), content_type="text/plain; charset=utf-8")
    else:
        answer = sent(file, version)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    if disposition := request.args.get("set_content_disposition_type"):
        if disposition not in ("inline", "attachment"):
            raise bad_parameter("set_content_disposition_type", disposition[:100])
        ending = "txt" if found.kind == "extracted_text" else found.kind
        called = request.args.get("set_content_disposition_filename") or f"{file.name}.{ending}"
        answer.headers["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(called, safe='')}"
    return answer


def _find(file_id: str, version_id: str, name: str) -> tuple[Item, Version, Representation]:
    file = item("file", file_id)
    version = here().versions.get(file, version_id)
    found = next((each for each in possible(file.name) if each.name == name), None)
    if found is None:
        raise not_found("representation", name[:100])
    return file, version, found
