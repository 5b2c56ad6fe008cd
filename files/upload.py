"""Uploads: a plain form with one file, which the script on its page turns into many files and folders."""

from box_sdk_gen import BoxAPIError, UploadFileAttributes, UploadFileAttributesParentField, UploadFileVersionAttributes
from flask import abort, flash, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf

from box_auth import BoxUnavailable
from box_auth.flask import box

from . import pages
from .items import quoted
from .upload_form import UploadForm
from .upload_parts import LARGE, file_in, made_after_all, upload_in_parts
from .upload_target import ask, choose, in_the_way

NO_FILE = "Choose a file first."


@pages.get("/<folder_id>/upload")
@box.login_required
def upload(folder_id):
    if box.wants_json:  # the script, when who uploads has signed in again in another tab
        return {"csrf_token": generate_csrf()}
    return _page(folder_id)


@pages.post("/<folder_id>/upload")
@box.login_required
def receive(folder_id):
    """Pass a file on to Box while it comes in."""
    form = UploadForm()
    try:
        form.check_token()
        if not form.name and box.wants_json:
            abort(400, NO_FILE)
        made = _deliver(folder_id, form, request.form.get("conflict")) if form.name else None
    except BoxAPIError as error:
        if box.wants_json:
            raise
        return _page(folder_id, box.explain(error), form.name), error.response_info.status_code
    finally:
        form.drain()
    if box.wants_json:
        return {"id": made.id, "name": made.name} if made else {"id": None}
    flash(_told(form.name, made), "" if form.name else "error")
    return redirect(url_for(".folder" if form.name else ".upload", folder_id=folder_id))


@pages.post("/<folder_id>/upload/check")
@box.login_required
def check(folder_id):
    """Tell whether Box would take a file, before all of it is sent in vain."""
    ask(folder_id, request.form.get("name", ""), request.form.get("size", 0, type=int))
    return {}


@pages.post("/<folder_id>/upload/folder")
@box.login_required
def make_folder(folder_id):
    """Make a folder for files of an uploaded one; if there is one of that name, they go there."""
    try:
        made = box.send("POST", "/folders", {"name": request.form.get("name", ""), "parent": {"id": folder_id}})
    except BoxAPIError as error:
        made = in_the_way(error)
        if made is None or made.get("type") != "folder" or not made.get("id"):
            raise
    if not made.get("id"):
        raise BoxUnavailable("box_bad_answer")
    return {"id": made["id"]}


@pages.record
def leave_the_token_to_the_view(state):
    """Flask-WTF reads a form whole to find its token; `UploadForm` finds it before the file."""
    if "csrf" in state.app.extensions:  # there is none where the settings are wrong
        state.app.extensions["csrf"].exempt(receive)


def _page(folder_id, problem=None, name=""):
    folder = box.get(f"/folders/{folder_id}", fields=["name", "path_collection"])
    return render_template("files/upload.html", folder=folder, folder_id=folder_id, problem=problem, name=name)


def _deliver(folder_id, form, conflict):
    """Send the file to Box; return what was made of it, or None if it was skipped."""
    target = choose(folder_id, form.name, form.size, conflict)
    if target is None:
        return None
    if form.size >= LARGE:
        return upload_in_parts(target, form)
    try:
        return _upload_at_once(target, form)
    except BoxUnavailable as error:
        if not form.ended:
            raise
        return made_after_all(error, target, form.sha1)


def _upload_at_once(target, form):
    uploads = box.client.uploads
    if target.file_id:
        return file_in(uploads.upload_file_version(target.file_id, UploadFileVersionAttributes(target.name), form))
    parent = UploadFileAttributesParentField(target.folder_id)
    return file_in(uploads.upload_file(UploadFileAttributes(target.name, parent), form))


def _told(name, made):
    if not name:
        return NO_FILE
    return f"{quoted(made.name)} was uploaded." if made else f"{quoted(name)} was skipped: there is one already."
