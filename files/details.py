"""A file by itself: what it is, and what can be done with it."""

from flask import render_template

from box_auth.flask import box

from . import pages
from .items import Item

ABOUT = [
    "description",
    "size",
    "created_at",
    "modified_at",
    "owned_by",
    "modified_by",
    "path_collection",
    "permissions",
]


@pages.get("/file/<file_id>")
@box.login_required
def file(file_id):
    item = Item("file", file_id)
    return render_template("files/file.html", item=item, file=item.about(*ABOUT))
