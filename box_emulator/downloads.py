"""The download host: file contents for whoever has a signed address, with no access token."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
from urllib.parse import quote

from flask import Blueprint, Response, request

from .emulator import Emulator, here
from .errors import ApiError

LIFETIME = 15 * 60  # Box: guides, expiration

routes = Blueprint("downloads", __name__)


def signed_path(emulator: Emulator, file_id: str) -> str:
    """Return the path of a file's content, good for 15 minutes by the emulator's clock."""
    expires = round(emulator.clock.now()) + LIFETIME
    return f"/download/{file_id}?expires={expires}&signature={_signature(emulator, file_id, str(expires))}"


@routes.get("/download/<file_id>")
def download(file_id: str) -> Response:
    emulator, expires = here(), request.args.get("expires", "")
    signature = _signature(emulator, file_id, expires)
    if not hmac.compare_digest(signature.encode(), request.args.get("signature", "").encode()):
        raise ApiError(403, "The download address is not valid.")
    if int(expires) <= emulator.clock.now():
        raise ApiError(403, "The download address has expired.")
    row = emulator.database.row("SELECT name FROM items WHERE id = ?", file_id)
    data = emulator.items.content(file_id)
    if row is None or data is None:
        raise ApiError(404)
    kind = mimetypes.guess_type(row["name"])[0] or "application/octet-stream"
    headers = {
        "Content-Type": kind,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['name'], safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, headers=headers)


def _signature(emulator: Emulator, file_id: str, expires: str) -> str:
    row = emulator.database.row("SELECT download_key FROM secrets")
    assert row is not None  # noqa: S101 - the schema makes it
    return hmac.new(row["download_key"], f"{file_id} {expires}".encode(), hashlib.sha256).hexdigest()
