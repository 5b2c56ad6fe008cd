"""Pages two to ten: a small file browser. Each page is short, and made to be copied.

``browse`` shows folders, ``search`` finds, ``change`` makes, renames, moves and copies, ``trash`` throws away and
brings back. ``details`` is a file's own page, with its ``preview``, ``versions`` and ``comments``; ``download`` hands
files and folders out. docs/forking.md says which page to copy for what. A fork that needs none of it deletes this
folder and its two lines in `app.py`.
"""

from flask import Blueprint, abort, url_for

from .items import ID

pages = Blueprint("files", __name__, url_prefix="/files", template_folder="templates", static_folder="static")


@pages.url_value_preprocessor
def only_ids_that_box_could_have_given(endpoint, values):
    for name, value in (values or {}).items():
        if name.endswith("_id") and not ID.fullmatch(value):
            abort(404, "An id at Box is a number; this address has none.")


@pages.app_context_processor
def for_all_templates():
    """What every template of the app may use: the links for the head of each page, and where an item is looked at."""
    links = [(url_for("files.folder"), "Files"), (url_for("files.recent"), "Recent"), (url_for("files.trash"), "Trash")]
    return {"file_links": links, "item_address": item_address, "thumbnail_address": thumbnail_address}


def item_address(item):
    """Return the address of the page that shows an item, or None: a web link leads elsewhere."""
    pages_of = {"folder": "files.folder", "file": "files.file"}
    kind = item.get("type")
    return url_for(pages_of[kind], **{f"{kind}_id": item["id"]}) if kind in pages_of else None


def thumbnail_address(item):
    """Return the address of a file's small picture; it changes with the file, so that browsers may keep the picture."""
    return url_for("files.thumbnail", file_id=item["id"], of=item.get("etag"))


# They add their pages to `pages`.
from . import (  # noqa: E402, F401
    browse,
    change,
    comments,
    details,
    download,
    elements,
    preview,
    search,
    share,
    trash,
    upload,
    versions,
)
