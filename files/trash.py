"""Into the trash, out of it again, and away for good."""

from box_sdk_gen import BoxAPIError
from flask import flash, redirect, render_template, request, url_for

from box_auth.flask import box

from . import pages
from .forms import Confirmation, NameForm
from .items import Item, counted, each, folder_id_of, names_of, quoted
from .listing import LAST, asked_offset

SIZE = 40  # on a page


@pages.get("/trash")
@box.login_required
def trash():
    offset = asked_offset()
    items = box.get("/folders/trash/items", fields=["name", "size", "trashed_at"], limit=SIZE, offset=offset)
    return render_template("files/trash.html", items=items, offset=offset, size_of_page=SIZE, last=LAST)


@pages.post("/trash")
@box.login_required
def throw_away():
    """Put what was selected into the trash, and go back to where it was selected."""
    items, back = Item.several(request.form.getlist("item")), folder_id_of(request.form.get("folder_id", "0"))
    done, failed = each(items, Item.trash)
    if done:
        flash(f"{counted(done)} moved to the trash.")
    names = names_of([item for item, _ in failed])
    for item, problem in failed:
        flash(f"{quoted(names[item])}: {problem.happened} {problem.todo}", "error")
    if not items:
        flash("Select first what should go to the trash.", "error")
    return redirect(url_for(".folder", folder_id=back))


@pages.route("/<item>/restore", methods=["GET", "POST"])
@box.login_required
def restore(item):
    """Restore an item: under another name if its own is taken by now, among all files if its folder is gone."""
    item = Item.of(item)
    name = in_trash(item)
    form = NameForm(data={"name": name})
    changes = {"name": form.name.data} if form.name.data != name else {}
    if form.sent(form.name, lambda: put_back(item, changes)):
        flash(f"{quoted(form.name.data)} is back.")
        return redirect(url_for(".trash"))
    return render_template("files/restore.html", form=form, item=item, name=name), form.status


@pages.route("/<item>/delete", methods=["GET", "POST"])
@box.login_required
def delete(item):
    """Ask, then delete what is in the trash for good."""
    item = Item.of(item)
    form = Confirmation()
    if form.validate_on_submit():
        box.send("DELETE", f"{item.path}/trash")
        flash("It is deleted for good.")
        return redirect(url_for(".trash"))
    return render_template("files/delete.html", form=form, item=item, name=in_trash(item))


def in_trash(item):
    """Return the name of what is in the trash."""
    return str(box.get(f"{item.path}/trash", fields=["name"]).get("name") or "–")


def put_back(item, changes):
    try:
        box.send("POST", item.path, changes)
    except BoxAPIError as error:
        if error.response_info.status_code != 404:
            raise
        box.send("POST", item.path, {**changes, "parent": {"id": "0"}})  # the folder that it was in is not there
        flash("The folder that it was in is gone, so it is among all files now.")
