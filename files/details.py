"""A file by itself: what it is, what it looks like, and what can be done with it."""

from flask import render_template

from box_auth.flask import box

from . import pages
from .items import Item
from .preview import Preview
from .share import LEVELS

HEAD = ["path_collection", "permissions"]  # what the head of each page about a file shows
DATES = ["created_at", "created_by", "modified_at", "modified_by"]
FACTS = ["description", "size", "owned_by", "shared_link", "lock", "version_number", "comment_count"]


@pages.get("/file/<file_id>")
@box.login_required
def file(file_id):
    item = Item("file", file_id)
    about, preview = box.at_once(lambda: item.about(*HEAD, *DATES, *FACTS), lambda: Preview.of(file_id))
    page = {"item": item, "file": about, "preview": preview, "levels": LEVELS}
    return preview.allowed_in(render_template("files/file.html", **page))
