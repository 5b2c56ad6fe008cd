"""Folders, page by page, and what was used lately."""

from box_sdk_gen import BoxAPIError, GetFileThumbnailByIdExtension
from flask import Response, flash, redirect, render_template, request, url_for
from requests import RequestException

from box_auth import BoxUnavailable
from box_auth.flask import box

from . import pages
from .listing import FIELDS, Listing

ABOUT = ["name", "path_collection", "permissions", "item_status"]


@pages.get("/", defaults={"folder_id": "0"})
@pages.get("/<folder_id>")
@box.login_required
def folder(folder_id):
    listing = Listing.of(folder_id, request.args)
    try:
        items, about = box.at_once(listing.load, lambda: box.get(f"/folders/{folder_id}", fields=ABOUT))
    except BoxAPIError as error:
        if listing.marker and error.response_info.status_code == 400:
            flash("That place in the list is gone. This is the beginning.")
            return redirect(url_for(".folder", folder_id=folder_id))
        raise
    return render_template("files/folder.html", folder=about, items=items, listing=listing)


@pages.get("/recent")
@box.login_required
def recent():
    used = box.get("/recent_items", fields=FIELDS, limit=50).get("entries") or []
    items = [entry["item"] for entry in used if isinstance(entry.get("item"), dict)]
    return render_template("files/recent.html", items=items)


@pages.get("/file/<file_id>/thumbnail")
@box.login_required
def thumbnail(file_id):
    try:
        answer = box.client.files.get_file_thumbnail_by_id(file_id, GetFileThumbnailByIdExtension.PNG, min_height=64)
        picture = answer.read() if answer else b""
    except (BoxAPIError, BoxUnavailable, RequestException):  # there is none, or not now, or not all of it
        picture = b""
    if not picture:
        return pages.send_static_file("none.svg")
    kept = {"Cache-Control": "private, max-age=86400"}  # the address has the file's version
    return Response(picture, mimetype="image/png", headers=kept)
