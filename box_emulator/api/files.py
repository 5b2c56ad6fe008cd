"""What only files have: their bytes, and small pictures of them."""

from __future__ import annotations

from flask import Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ..content import item, me, routes
from ..downloads import signed_path
from ..emulator import download_url, here
from ..errors import ApiError, refused
from ..file_kinds import shown_as
from ..paging import number
from ..renderings import small_picture

# Box: OpenAPI, get_files_id_thumbnail_id; the largest of each kind are also the most that can be asked for
_SIZES = {"png": (32, 64, 128, 256), "jpg": (32, 160, 320)}


@routes.get("/files/<file_id>/content")
def content(file_id: str) -> BaseResponse:
    """Send the client to the download host; an old version if asked for (OpenAPI, get_files_id_content)."""
    file = item("file", file_id, "download")
    version = here().versions.get(file, request.args.get("version") or str(file.version))
    here().recents.add(me().id, file.id, "item_open")
    return redirect(download_url() + signed_path(here(), version))


@routes.get("/files/<file_id>/thumbnail.<extension>")
def thumbnail(file_id: str, extension: str) -> BaseResponse:
    """A picture for pictures; for other files the way to a placeholder (OpenAPI, get_files_id_thumbnail_id).

    Which of the sizes that fit Box takes is not documented: here the smallest.
    """
    file = item("file", file_id)
    if extension not in _SIZES:
        raise ApiError(404)
    least, most = 0, 320
    for side in ("height", "width"):
        least = max(least, number(request.args, f"min_{side}", 0))
        most = min(most, number(request.args, f"max_{side}", 320))
    fitting = [size for size in _SIZES[extension] if least <= size <= most]
    if not fitting:
        raise refused("requested_preview_unavailable")
    shown = shown_as(file.name)
    placeholder = f"{download_url()}/placeholder/{shown or 'file'}.png"
    if shown != "picture":
        return redirect(placeholder)
    if here().options.representations_pending:
        return Response(status=202, headers={"Location": placeholder, "Retry-After": "1"})
    version = here().versions.get(file, str(file.version))
    picture, kind = small_picture(here(), version, extension, fitting[0])
    return Response(picture, content_type=kind)
