"""Downloads: Box gives an address that works for a short time, and the browser fetches from there."""

from flask import redirect, request, url_for

from box_auth.flask import box

from . import pages
from .items import Item


@pages.get("/file/<file_id>/download")
@box.login_required
def download(file_id):
    return redirect(box.client.downloads.get_download_file_url(file_id))


@pages.post("/zip")
@box.login_required
def zip_files():
    """Download what was selected as one zip, which Box packs while it is fetched."""
    items = Item.several(request.form.getlist("item"))
    if not items:
        return redirect(url_for(".folder", folder_id=request.form.get("folder_id", "0")))
    packed = [{"type": item.type, "id": item.id} for item in items if item.type != "web_link"]
    name = box.get(f"/folders/{request.form.get('folder_id', '0')}", fields=["name"])["name"]
    return redirect(box.send("POST", "/zip_downloads", {"items": packed, "download_file_name": name})["download_url"])
