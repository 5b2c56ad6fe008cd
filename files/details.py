"""A file by itself: what it is, what it looks like, and what can be done with it."""

from box_sdk_gen import BoxAPIError
from flask import abort, flash, redirect, render_template

from box_auth import BoxAuthError, SignInRequired
from box_auth.flask import box

from . import pages
from .forms import status_of
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


def told(call, done, gone):
    """Make a call to Box, and have the next page say how it went: ``gone`` if the thing is not there any more."""
    try:
        call()
    except SignInRequired:
        raise
    except (BoxAPIError, BoxAuthError) as error:
        problem = box.explain(error)
        flash(gone if status_of(error) == 404 else f"{problem.happened} {problem.todo}", "error")
    else:
        flash(done)


def still_there(path, fields, gone, back):
    """Return what Box has at ``path``. If it has nothing there any more, end the request on the page ``back``."""
    try:
        return box.get(path, fields=fields)
    except BoxAPIError as error:
        if error.response_info.status_code != 404:
            raise
        flash(gone, "error")
        abort(redirect(back))
