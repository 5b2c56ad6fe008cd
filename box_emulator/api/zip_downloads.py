"""Several files and folders as one zip archive: asking for it, and how far it is."""

from __future__ import annotations

from flask import Response, jsonify

from ..archives import Archive, named
from ..clock import iso
from ..content import item, me, root, routes
from ..emulator import download_url, here
from ..errors import ApiError, refused
from ..items import ROOT, Item
from ..json_body import json_body
from ..names import check_name


@routes.post("/zip_downloads")
def create() -> tuple[Response, int]:
    """Check everything, and say where the archive will be (OpenAPI, post_zip_downloads)."""
    wanted = json_body({"items": list, "download_file_name": str}, "items")
    chosen, conflicts = named(_items(wanted["items"]))
    name = check_name(wanted.get("download_file_name") or (chosen[0][0].name if len(chosen) == 1 else "Box"))
    archive = here().archives.add(me().id, f"{name.removesuffix('.zip')}.zip", chosen, me().max_upload_size)
    answer = {
        "download_url": f"{download_url()}/2.0/zip_downloads/{archive.id}/content",
        "status_url": f"{root()}/2.0/zip_downloads/{archive.id}/status",
        "expires_at": iso(archive.expires_at),
        "name_conflicts": conflicts,
    }
    return jsonify(answer), 202


@routes.get("/zip_downloads/<archive_id>/status")
def status(archive_id: str) -> Response:
    archive: Archive = here().archives.status(me().id, archive_id)
    return jsonify({**archive.counts, "state": archive.state})


def _items(wanted: list[object]) -> list[Item]:
    """Find what is asked for, each once. Box: 400 for what is no item, 403 for somebody else's (OpenAPI)."""
    found: dict[str, Item] = {}
    for entry in wanted:
        given = entry if isinstance(entry, dict) else {}
        kind, item_id = given.get("type"), str(given.get("id", ""))
        if kind not in ("file", "folder") or item_id == ROOT:
            raise ApiError(400, "Items are files and folders, and not the root folder")
        try:
            found[item_id] = item(str(kind), item_id, "download")
        except ApiError as error:
            if error.status == 404 and len(item_id) < 19 and here().items.find(item_id):
                raise refused("access_denied_insufficient_permissions") from None
            raise ApiError(400, "An item was not found") if error.status in (404, 405) else error from None
    if not found:
        raise ApiError(400, "There are no items")
    return list(found.values())
