"""Into the trash, out of it again, and away for good."""

from flask import flash, redirect, render_template, request, url_for

from box_auth.flask import box

from . import pages
from .forms import Confirmation, NameForm
from .items import Item, counted, each


@pages.get("/trash")
@box.login_required
def trash():
    offset = max(0, min(request.args.get("offset", 0, type=int), 9900))
    items = box.get("/folders/trash/items", fields=["name", "size", "trashed_at"], limit=100, offset=offset)
    return render_template("files/trash.html", items=items, offset=offset)


@pages.post("/trash")
@box.login_required
def throw_away():
    """Put what was selected into the trash, and go back to where it was selected."""
    done, failed = each(Item.several(request.form.getlist("item")), Item.trash)
    if done:
        flash(f"{counted(done)} moved to the trash.")
    for problem in {problem.code: problem for _, problem in failed}.values():
        flash(f"{problem.happened} {problem.todo}", "error")
    return redirect(url_for(".folder", folder_id=request.form.get("folder_id", "0")))


@pages.route("/<item>/restore", methods=["GET", "POST"])
@box.login_required
def restore(item):
    """Restore an item; if its name is taken by now, under another one."""
    item = Item.of(item)
    name = box.get(f"{item.path}/trash", fields=["name"])["name"]
    form = NameForm(data={"name": name})
    changes = {"name": form.name.data} if form.name.data != name else {}
    if form.sent(form.name, lambda: box.send("POST", item.path, changes)):
        flash(f"“{form.name.data}” is back where it was.")
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
    name = box.get(f"{item.path}/trash", fields=["name"])["name"]
    return render_template("files/delete.html", form=form, item=item, name=name)
