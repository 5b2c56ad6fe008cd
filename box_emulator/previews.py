"""The page of an expiring embed link, on the download host: it shows a file in a frame, without any script."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, send_from_directory

from .downloads import sent, stored
from .emulator import here
from .errors import ApiError
from .file_kinds import shown_as
from .signatures import check, signed

_SESSION = 60 * 60  # seconds that a preview goes on once it is open (OpenAPI, expiring_embed_link)
_MOST = 200_000  # bytes of a text that are shown

routes = Blueprint("previews", __name__)


@routes.get("/embed/<file_id>-<version_id>")
def page(file_id: str, version_id: str) -> str:
    check(here(), request.path, request.args)
    file, version = stored(file_id, version_id)
    kind, text = shown_as(file.name), ""
    if kind == "text":
        with here().contents.path(version.sha1).open("rb") as content:
            text = content.read(_MOST).decode("utf-8", "replace")
    inline = signed(here(), f"/inline/{file.id}-{version.id}", _SESSION)
    return render_template("preview.html", file=file, kind=kind, text=text, inline=inline, cut=version.size > _MOST)


@routes.get("/inline/<file_id>-<version_id>")
def inline(file_id: str, version_id: str) -> Response:
    """What the page has in it: a picture or a PDF. Nothing else is sent for a browser to show."""
    check(here(), request.path, request.args)
    file, version = stored(file_id, version_id)
    kind = shown_as(file.name)
    if kind not in ("picture", "pdf"):
        raise ApiError(404)
    response = sent(file, version)
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(file.name, safe='')}"
    if kind == "picture":  # SVG may have scripts; browsers show no PDF with such a policy
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


@routes.get("/embed/emulator.css")
def stylesheet() -> Response:
    return send_from_directory(f"{routes.root_path}/static", "emulator.css")


@routes.errorhandler(ApiError)
def explain(error: ApiError) -> tuple[str, int]:
    return render_template("preview.html", file=None, problem=error.message), error.status


@routes.after_request
def protect(response: Response) -> Response:
    """Every page may have this one in a frame, as Box's; a script in it would not run."""
    if response.mimetype == "text/html":
        policy = "default-src 'none'; style-src 'self'; img-src 'self'; object-src 'self'; frame-src 'self'"
        response.headers["Content-Security-Policy"] = f"{policy}; base-uri 'none'; form-action 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
