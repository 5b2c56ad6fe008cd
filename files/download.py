"""Downloads: Box gives an address that works for a short time, and the browser fetches from there."""

from box_sdk_gen import BoxAPIError, BoxSDKError
from flask import abort, flash, redirect, render_template, request, url_for

from box_auth import BoxUnavailable
from box_auth.flask import box

from . import pages
from .items import Item


@pages.get("/file/<file_id>/download")
@box.login_required
def download(file_id):
    return redirect(contents(file_id) or url_for(".file", file_id=file_id))


@pages.get("/file/<file_id>/versions/<version_id>/download")
@box.login_required
def download_version(file_id, version_id):
    return redirect(contents(file_id, version_id) or url_for(".versions", file_id=file_id))


@pages.get("/<folder_id>/download")
@box.login_required
def download_folder(folder_id):
    """Download a folder as one zip, which Box packs while it is fetched. The root folder cannot be (Item, OpenAPI)."""
    folder = Item.of(f"folder:{folder_id}")
    return redirect(packed([folder], folder.about()["name"])["download_url"])


@pages.post("/<folder_id>/zip")
@box.login_required
def zip_files(folder_id):
    """Download what was selected in a folder as one zip, by a page that says what is not in it.

    A page, because a form cannot lead to Box: where the content security policy has ``form-action 'self'``, Chromium
    follows no redirect of a form to another host.
    """
    items = Item.several(request.form.getlist("item"))
    chosen = [item for item in items if item.type != "web_link"]
    if not chosen:
        if box.wants_json:
            abort(400, "Web links cannot be downloaded.")
        flash("Web links cannot be downloaded." if items else "Select what to download first.", "error")
        return redirect(url_for(".folder", folder_id=folder_id))
    if len(chosen) == 1 and chosen[0].type == "file":
        archive = {"download_url": url_for(".download", file_id=chosen[0].id)}
    else:
        archive = packed(chosen, box.get(f"/folders/{folder_id}", fields=["name"]).get("name") or "Files")
    page = {"folder_id": folder_id, "items": chosen, "skipped": len(items) - len(chosen), "archive": archive}
    return render_template("files/zip.html", **page)


def contents(file_id, version_id=None):
    """Return the address of a file's bytes, or None after saying that Box has them not ready yet."""
    try:
        return box.client.downloads.get_download_file_url(file_id, version=version_id)
    except BoxAPIError:
        raise
    except BoxSDKError:  # no address: Box answered 202, as it may just after an upload
        flash("Box is still getting this file ready. Try again in a moment.", "error")
        return None


def packed(items, name):
    """Have Box prepare a zip; its ``download_url`` has to be used within seconds, once."""
    wanted = [{"type": item.type, "id": item.id} for item in items]
    archive = box.send("POST", "/zip_downloads", {"items": wanted, "download_file_name": name})
    if not str(archive.get("download_url")).startswith(("https://", "http://")):
        raise BoxUnavailable("box_bad_answer")
    return archive
