"""The download host: file contents for whoever has a signed address or a shared link, with no access token."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, request, send_file

from .emulator import Emulator, here
from .errors import ApiError
from .file_kinds import content_type
from .items import Item
from .pictures import picture
from .signatures import check, signed
from .versions import Version

LIFETIME = 15 * 60  # Box: guides, expiration

routes = Blueprint("downloads", __name__)


def signed_path(emulator: Emulator, version: Version) -> str:
    """Return the path of what a file holds or held, good for 15 minutes by the emulator's clock."""
    return signed(emulator, f"/download/{version.item}/{version.id}", LIFETIME)


@routes.get("/download/<file_id>/<version_id>")
def download(file_id: str, version_id: str) -> Response:
    check(here(), request.path, request.args)
    return attached(*stored(file_id, version_id))


@routes.get("/shared/static/<name>")
def shared(name: str) -> Response:
    """The direct link of an open shared link (OpenAPI, shared_link.download_url)."""
    file = here().links.download(name.partition(".")[0])
    return attached(file, here().versions.get(file, str(file.version)))


@routes.get("/placeholder/<kind>.png")
def placeholder(kind: str) -> Response:
    """What stands for a file that has no thumbnail."""
    return Response(picture(kind[:20], 64), content_type="image/png")


def stored(file_id: str, version_id: str) -> tuple[Item, Version]:
    """Find what a signed address is about, or raise 404: it may be gone by now."""
    file = here().items.find(file_id)
    if file is None:
        raise ApiError(404)
    return file, here().versions.get(file, version_id)


def attached(file: Item, version: Version) -> Response:
    """Send bytes as a file to keep. On an app's own port, a page that is shown all the same can do nothing there."""
    response = sent(file, version)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    return response


def sent(file: Item, version: Version) -> Response:
    """Send bytes from disk, in pieces; ``Range`` and ``If-Range`` work as HTTP has them."""
    path = here().contents.path(version.sha1)
    if not path.exists():  # deleted for good a moment ago
        raise ApiError(404)
    kind = content_type(file.name)
    response = send_file(path, kind, conditional=True, etag=version.sha1, last_modified=version.created_at)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
