"""The download host: file contents for whoever has a signed address or a shared link, with no access token."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
from urllib.parse import quote

from flask import Blueprint, Response, request, send_file

from .emulator import Emulator, here
from .errors import ApiError
from .items import Item
from .pictures import picture
from .versions import Version

LIFETIME = 15 * 60  # Box: guides, expiration

routes = Blueprint("downloads", __name__)


def signed_path(emulator: Emulator, version: Version) -> str:
    """Return the path of what a file holds or held, good for 15 minutes by the emulator's clock."""
    expires = round(emulator.clock.now()) + LIFETIME
    path = f"{version.item}/{version.id}"
    return f"/download/{path}?expires={expires}&signature={_signature(emulator, path, str(expires))}"


@routes.get("/download/<file_id>/<version_id>")
def download(file_id: str, version_id: str) -> Response:
    emulator, expires = here(), request.args.get("expires", "")
    signature = _signature(emulator, f"{file_id}/{version_id}", expires)
    if not hmac.compare_digest(signature.encode(), request.args.get("signature", "").encode()):
        raise ApiError(403, "The download address is not valid.")
    if int(expires) <= emulator.clock.now():
        raise ApiError(403, "The download address has expired.")
    file = emulator.items.find(file_id)
    if file is None:
        raise ApiError(404)
    return _send(file, emulator.versions.get(file, version_id))


@routes.get("/shared/static/<name>")
def shared(name: str) -> Response:
    """The direct link of an open shared link (OpenAPI, shared_link.download_url)."""
    file = here().links.download(name.partition(".")[0])
    return _send(file, here().versions.get(file, str(file.version)))


@routes.get("/placeholder/<kind>.png")
def placeholder(kind: str) -> Response:
    """What stands for a file that has no thumbnail."""
    return Response(picture(kind[:20], 64), content_type="image/png")


def _send(file: Item, version: Version) -> Response:
    """Send bytes from disk, in pieces; ``Range`` and ``If-Range`` work as HTTP has them."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    path = here().contents.path(version.sha1)
    if not path.exists():  # deleted for good a moment ago
        raise ApiError(404)
    response = send_file(path, kind, conditional=True, etag=version.sha1, last_modified=version.created_at)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _signature(emulator: Emulator, path: str, expires: str) -> str:
    row = emulator.database.row("SELECT download_key FROM secrets")
    assert row is not None  # noqa: S101 - the schema makes it
    return hmac.new(row["download_key"], f"{path} {expires}".encode(), hashlib.sha256).hexdigest()
