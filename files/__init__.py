"""Pages two to ten: a small file browser. Each page is short, and made to be copied.

``browse`` shows folders, ``search`` finds, ``change`` makes, renames, moves and copies, ``trash`` throws away and
brings back, ``share`` makes links, ``upload`` takes files in and ``download`` hands them out. ``details`` is a file's
own page, with ``preview``, ``versions`` and ``comments``; ``elements`` has Box's own UI Elements. docs/forking.md says
which page to copy for what. A fork that needs none of it deletes this folder and its two lines in `app.py`.
"""

from flask import Blueprint, abort, url_for

from .items import ID
from .listing import count_of

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
    return {
        "file_links": links,
        "item_address": item_address,
        "thumbnail_address": thumbnail_address,
        "path_to": path_to,
        "count_of": count_of,
    }


def item_address(item):
    """Return the address of the page that shows an item, or None: a web link leads elsewhere."""
    kind, number = item.get("type"), str(item.get("id"))
    if kind not in ("folder", "file") or not ID.fullmatch(number):
        return None
    return url_for(f"files.{kind}", **{f"{kind}_id": number})


def thumbnail_address(item):
    """Return the address of a file's small picture; it changes with the file, so that browsers may keep the picture."""
    number = str(item.get("id"))
    return url_for("files.thumbnail", file_id=number, of=item.get("etag")) if ID.fullmatch(number) else None


def path_to(about):
    """Return the folders above an item, from the top. There are none to name for what somebody else has shared."""
    above = about.get("path_collection")
    entries = above.get("entries") if isinstance(above, dict) else None
    return [folder for folder in entries or [] if ID.fullmatch(str(folder.get("id")))]


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
