"""New folders and names, and items that go elsewhere: each is a form, and the call to Box that it makes."""

from flask import flash, redirect, render_template, request, url_for

from box_auth.flask import box

from . import pages
from .forms import Confirmation, NameForm
from .items import Item, counted, each, folder_id_of, names_of, parent_of, quoted


@pages.route("/<folder_id>/new-folder", methods=["GET", "POST"])
@box.login_required
def new_folder(folder_id):
    form = NameForm()
    new = {"name": form.name.data, "parent": {"id": folder_id}}
    if form.sent(form.name, lambda: box.send("POST", "/folders", new)):
        flash(f"The folder {quoted(form.name.data)} was made.")
        return redirect(url_for(".folder", folder_id=folder_id))
    return render_template("files/new_folder.html", form=form, folder_id=folder_id), form.status


@pages.route("/<item>/rename", methods=["GET", "POST"])
@box.login_required
def rename(item):
    item = Item.of(item)
    about = item.about()
    form = NameForm(data={"name": about["name"], "etag": about.get("etag")})
    if form.sent(form.name, lambda: item.change({"name": form.name.data}, form.etag.data)):
        flash(f"{quoted(about['name'])} is now called {quoted(form.name.data)}.")
        return redirect(url_for(".folder", folder_id=parent_of(about)))
    form.etag.data = about.get("etag")  # whoever sends the form again has seen what changed
    return render_template("files/rename.html", form=form, item=item, about=about), form.status


@pages.post("/selected")
@box.login_required
def selected():
    """What was ticked on a page is on its way to another folder: show where to."""
    act = "copy" if request.form.get("act") == "copy" else "move"
    into, items = folder_id_of(request.form.get("folder_id", "0")), request.form.getlist("item")
    return redirect(url_for(".move_or_copy", act=act, item=items, into=into), 303)


@pages.route("/move", methods=["GET", "POST"], defaults={"act": "move"})
@pages.route("/copy", methods=["GET", "POST"], defaults={"act": "copy"})
@box.login_required
def move_or_copy(act):
    """Walk to a folder, then move or copy there what was selected; what Box refuses stays selected."""
    items, into = Item.several(request.values.getlist("item")), folder_id_of(request.values.get("into", "0"))
    form, failed = Confirmation(), {}
    if form.validate_on_submit():
        parent = {"parent": {"id": into}}
        done, refused = each(items, lambda item: item.copy(parent) if act == "copy" else item.change(parent))
        if done:
            flash(f"{counted(done)} {'copied' if act == 'copy' else 'moved'}.")
        if not refused:
            return redirect(url_for(".folder", folder_id=into))
        failed, items = dict(refused), [item for item, _ in refused]
    folder, inside, names = box.at_once(
        lambda: box.get(f"/folders/{into}", fields=["name", "path_collection"]),
        lambda: box.get(f"/folders/{into}/items", fields=["name"], limit=1000),
        lambda: names_of(items),
    )
    page = {"act": act, "names": names, "into": into, "folder": folder, "inside": inside, "failed": failed}
    status = next((problem.status for problem in failed.values()), 200)
    return render_template("files/move_or_copy.html", form=form, **page), status
