"""Pages two to ten: a small file browser. Each page is short, and made to be copied.

``browse`` shows folders, ``search`` finds, ``change`` makes, renames, moves and copies, ``trash`` throws away and
brings back, ``share`` makes links, ``upload`` takes files in and ``download`` hands them out. ``details`` is a file's
own page, with ``preview``, ``versions`` and ``comments``; ``elements`` has Box's own UI Elements. ``addresses`` has
where the rows of a list lead. docs/forking.md says which page to copy for what. A fork that needs none of it deletes
this folder and its two lines in `app.py`.
"""

from flask import Blueprint, abort, url_for

from .addresses import Addresses, Found
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
    """What every template of the app may use: the links for the head of each page, and where an item is looked at.

    In a list ``row_address`` is for each row what ``url_for`` is for the page."""
    addresses = Addresses()
    links = [(url_for("files.folder"), "Files"), (url_for("files.recent"), "Recent"), (url_for("files.trash"), "Trash")]
    return {
        "file_links": links,
        "row_address": addresses,
        "item_address": addresses.of_item,
        "thumbnail_address": addresses.of_thumbnail,
        "item_addresses": Found(addresses.of_item),
        "thumbnail_addresses": Found(addresses.of_thumbnail),
        "path_to": path_to,
        "count_of": count_of,
    }


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
