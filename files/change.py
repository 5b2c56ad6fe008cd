"""New folders and names, and items that go elsewhere: each is a form, and the call to Box that it makes."""

from flask import flash, redirect, render_template, request, url_for

from box_auth.flask import box

from . import pages
from .forms import Confirmation, NameForm
from .items import Item, counted, each, parent_of


@pages.route("/<folder_id>/new-folder", methods=["GET", "POST"])
@box.login_required
def new_folder(folder_id):
    form = NameForm()
    new = {"name": form.name.data, "parent": {"id": folder_id}}
    if form.sent(form.name, lambda: box.send("POST", "/folders", new)):
        flash(f"The folder “{form.name.data}” was made.")
        return redirect(url_for(".folder", folder_id=folder_id))
    return render_template("files/new_folder.html", form=form, folder_id=folder_id), form.status


@pages.route("/<item>/rename", methods=["GET", "POST"])
@box.login_required
def rename(item):
    item = Item.of(item)
    about = item.about()
    form = NameForm(data={"name": about["name"], "etag": about["etag"]})
    if form.sent(form.name, lambda: item.change({"name": form.name.data}, form.etag.data)):
        flash(f"“{about['name']}” is now called “{form.name.data}”.")
        return redirect(url_for(".folder", folder_id=parent_of(about)))
    form.etag.data = about["etag"]  # whoever sends the form again has seen what changed
    return render_template("files/rename.html", form=form, item=item, about=about), form.status


@pages.post("/selected")
@box.login_required
def selected():
    """What was ticked on a page is on its way to another folder: show where to."""
    act = "copy" if request.form.get("act") == "copy" else "move"
    into, items = request.form.get("folder_id", "0"), request.form.getlist("item")
    return redirect(url_for(".move_or_copy", act=act, item=items, into=into), 303)


@pages.route("/move", methods=["GET", "POST"], defaults={"act": "move"})
@pages.route("/copy", methods=["GET", "POST"], defaults={"act": "copy"})
@box.login_required
def move_or_copy(act):
    """Walk to a folder, then move or copy there what was selected."""
    items, into = Item.several(request.values.getlist("item")), request.values.get("into", "0")
    form, failed = Confirmation(), []
    if form.validate_on_submit():
        parent = {"parent": {"id": into}}
        done, failed = each(items, lambda item: item.copy(parent) if act == "copy" else item.change(parent))
        if done:
            flash(f"{counted(done)} {'copied' if act == 'copy' else 'moved'}.")
        if not failed:
            return redirect(url_for(".folder", folder_id=into))
    folder, inside = box.at_once(
        lambda: box.get(f"/folders/{into}", fields=["name", "path_collection"]),
        lambda: box.get(f"/folders/{into}/items", fields=["name"], limit=1000),
    )
    page = {"act": act, "items": items, "folder": folder, "inside": inside, "failed": failed, "form": form}
    return render_template("files/move_or_copy.html", **page), failed[0][1].status if failed else 200
