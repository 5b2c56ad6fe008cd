"""The earlier versions of a file: bring one back to the top, download it, or put it into the trash."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from wtforms import HiddenField

from box_auth import BoxAuthError
from box_auth.flask import box

from . import pages
from .details import HEAD
from .forms import ETAG, BoxForm, still_there, tell_how_it_went
from .items import Item
from .listing import LAST, asked_offset

FIELDS = ["version_number", "name", "size", "modified_at", "modified_by", "trashed_at"]
NOW = ["file_version", "version_number", "size", "modified_at", "modified_by"]  # of the file as it is
SIZE = 40  # on a page
GONE = "That version is not there any more."


class DeleteForm(BoxForm):
    etag = HiddenField(validators=[ETAG])


@pages.get("/file/<file_id>/versions")
@box.login_required
def versions(file_id):
    item = Item("file", file_id)
    offset = asked_offset()
    about, past = box.at_once(
        lambda: item.about(*HEAD, *NOW),
        lambda: box.get(f"{item.path}/versions", fields=FIELDS, limit=SIZE, offset=offset),
    )
    return render_template(
        "files/versions.html", item=item, file=about, past=past, offset=offset, size_of_page=SIZE, last=LAST
    )


@pages.post("/file/<file_id>/versions/<version_id>/promote")
@box.login_required
def promote(file_id, version_id):
    """Put a copy of an earlier version on top. Box takes no ``If-Match`` here, so look what is on top first: a form
    that is sent twice does it once, and nobody's new version is covered unseen."""
    item, wanted = Item("file", file_id), {"type": "file_version", "id": version_id}
    on_top = item.about("file_version").get("file_version") or {}
    if on_top.get("id") != request.form.get("current"):
        if box.wants_json:
            raise BoxAuthError("item_changed")
        flash("Another version came to the top meanwhile, so nothing was done. Look at the list as it is now.", "error")
    else:
        call = partial(box.send, "POST", f"{item.path}/versions/current", wanted)
        tell_how_it_went(call, "A copy of that version is the newest one now.", GONE)
    return redirect(url_for(".versions", file_id=file_id))


@pages.route("/file/<file_id>/versions/<version_id>/delete", methods=["GET", "POST"])
@box.login_required
def delete_version(file_id, version_id):
    """Ask, then put an earlier version into the trash, unless the file was changed meanwhile."""
    item, back = Item("file", file_id), url_for(".versions", file_id=file_id)
    path, form = f"{item.path}/versions/{version_id}", DeleteForm()
    if form.validate_on_submit():
        tell_how_it_went(
            lambda: box.send("DELETE", path, if_match=form.etag.data), "The version was moved to the trash.", GONE
        )
        return redirect(back)
    version = still_there(path, FIELDS, GONE, back)
    form.etag.data = item.about().get("etag")
    return render_template("files/delete_version.html", form=form, version=version, back=back)


@pages.post("/file/<file_id>/versions/<version_id>/restore")
@box.login_required
def restore_version(file_id, version_id):
    path = f"/files/{file_id}/versions/{version_id}"
    tell_how_it_went(
        lambda: box.send("PUT", path, {"trashed_at": None}), "The version is out of the trash again.", GONE
    )
    return redirect(url_for(".versions", file_id=file_id))
