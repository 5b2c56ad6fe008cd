"""A link that shows an item to others."""

from flask import flash, redirect, render_template, url_for
from wtforms import SelectField

from box_auth.flask import box

from . import pages
from .forms import BoxForm
from .items import Item, parent_of

LEVELS = {
    "open": "Everybody who has the link",
    "company": "People of your company",
    "collaborators": "People who work on it with you",
}


class ShareForm(BoxForm):
    access = SelectField("Who can open it")


@pages.route("/<item>/share", methods=["GET", "POST"])
@box.login_required
def share(item):
    item = Item.of(item)
    about = item.about("shared_link", "allowed_shared_link_access_levels")
    link, levels = about.get("shared_link"), about.get("allowed_shared_link_access_levels")
    link, levels = link if isinstance(link, dict) else {}, levels if isinstance(levels, list) else list(LEVELS)
    form = ShareForm(data={"access": link.get("access")})
    form.access.choices = [(level, words) for level, words in LEVELS.items() if level in levels]
    form.access.choices += [("none", "Nobody any more: switch the link off")] if link else []
    shared = None if form.access.data == "none" else {"access": form.access.data}
    if form.sent(form.access, lambda: item.change({"shared_link": shared})):
        flash("The link works." if shared else "The link is switched off.")
        return redirect(url_for(".share", item=item))
    return render_template(
        "files/share.html", form=form, item=item, about=about, link=link, back=address_of(item, about)
    ), form.status


def address_of(item, about):
    """Return where the item is looked at: its own page, or the folder of a web link."""
    if item.type == "file":
        return url_for(".file", file_id=item.id)
    return url_for(".folder", folder_id=item.id if item.type == "folder" else parent_of(about))
