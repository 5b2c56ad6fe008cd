"""What people said about a file."""

import re

from flask import flash, redirect, render_template, url_for
from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, Length

from box_auth.flask import box

from . import pages
from .details import HEAD
from .forms import BoxForm, Confirmation, still_there, tell_how_it_went
from .items import Item
from .listing import LAST, asked_offset, count_of

FIELDS = ["message", "created_by", "created_at", "modified_at", "is_reply_comment"]
SIZE = 50  # on a page
LONGEST = 10_000  # characters; Box documents no limit, and this keeps pages readable
GONE = "That comment is not there any more."


def plain_lines(text):
    """Write ends of lines as Box has them; browsers send two characters for each."""
    return text and text.replace("\r\n", "\n").strip()


class CommentForm(BoxForm):
    message = TextAreaField(
        "Add a comment",
        [DataRequired("Type a comment."), Length(max=LONGEST, message=f"Type {LONGEST} characters at most.")],
        filters=[plain_lines],
    )
    seen = HiddenField()  # how many comments there were when the form was made

    def add_to(self, item):
        """Send the comment, unless that was done since the form was made: a form may come twice, by a second click or
        after an answer that was lost."""
        seen = min(int(self.seen.data), LAST) if re.fullmatch("[0-9]{1,9}", self.seen.data or "") else 0
        newer = box.get(f"{item.path}/comments", fields=FIELDS, limit=1000, offset=seen).get("entries") or []
        if any(comment.get("message") == self.message.data and is_mine(comment) for comment in newer):
            flash("Your comment was sent before, and is there once.")
            return
        box.send("POST", "/comments", {"message": self.message.data, "item": {"type": "file", "id": item.id}})
        flash("Your comment is there.")


def is_mine(comment):
    author = comment.get("created_by")
    return isinstance(author, dict) and author.get("id") == box.user.id


@pages.route("/file/<file_id>/comments", methods=["GET", "POST"])
@box.login_required
def comments(file_id):
    item, form = Item("file", file_id), CommentForm()
    offset = asked_offset()
    if form.sent(form.message, lambda: form.add_to(item)):
        count = item.about("comment_count").get("comment_count")
        last = count - 1 if isinstance(count, int) and count > 0 else 0
        return redirect(url_for(".comments", file_id=file_id, offset=last // SIZE * SIZE or None))
    about, said = box.at_once(
        lambda: item.about(*HEAD),
        lambda: box.get(f"{item.path}/comments", fields=FIELDS, limit=SIZE, offset=offset),
    )
    if not form.is_submitted():  # after a failure, what was sent may be there all the same
        form.seen.data = count_of(said)
    page = {
        "item": item,
        "file": about,
        "said": said,
        "offset": offset,
        "size_of_page": SIZE,
        "last": LAST,
        "is_mine": is_mine,
    }
    return render_template("files/comments.html", form=form, **page), form.status


@pages.route("/file/<file_id>/comments/<comment_id>/delete", methods=["GET", "POST"])
@box.login_required
def delete_comment(file_id, comment_id):
    """Ask, then delete a comment. Box lets people delete their own, and nothing brings one back."""
    path, form, back = f"/comments/{comment_id}", Confirmation(), url_for(".comments", file_id=file_id)
    if form.validate_on_submit():
        tell_how_it_went(lambda: box.send("DELETE", path), "The comment was deleted.", GONE)
        return redirect(back)
    comment = still_there(path, FIELDS, GONE, back)
    return render_template("files/delete_comment.html", form=form, comment=comment, back=back)
