"""What a file looks like: Box's own preview in a frame, for every kind of file that Box can show (Box Embed)."""

import re
from dataclasses import dataclass

from box_sdk_gen import BoxAPIError
from flask import flash, make_response, redirect, url_for

from box_auth import BoxAuthError, SignInRequired
from box_auth.flask import box
from box_auth.flask.pages import POLICY

from . import pages
from .forms import status_of

ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(?=[/?#]|$)")
UNKNOWN_KIND = 415  # Box: OpenAPI, get_files_id, of an embed link for a file that Box Embed does not support


@dataclass(frozen=True)
class Preview:
    """An address that shows a file for whoever opens it within a minute, or ``why_not``.

    It is asked for anew for each page, and no page with it is kept by a browser. The token that Box sends with it is
    not used, and goes nowhere. The frame has no ``sandbox``: browsers show no PDF in one, and what keeps Box's page to
    itself is that it is another origin.
    """

    url: str = ""
    why_not: str = ""

    @classmethod
    def of(cls, file_id):
        try:
            link = box.get(f"/files/{file_id}", fields=["expiring_embed_link"]).get("expiring_embed_link")
        except SignInRequired:
            raise
        except (BoxAPIError, BoxAuthError) as error:  # the rest of the page is worth having without it
            if status_of(error) == UNKNOWN_KIND:
                return cls(why_not="Box has no preview for this kind of file. Download it to look at it.")
            problem = box.explain(error)
            return cls(why_not=f"{problem.happened} {problem.todo}")
        url = str(link.get("url") or "") if isinstance(link, dict) else ""
        return cls(url) if ORIGIN.match(url) else cls(why_not="Box gave no preview. Reload this page to ask again.")

    def allowed_in(self, page):
        """Make a page's response, in which frames of the preview's host may be, and of no other."""
        response = make_response(page)
        if self.url:
            response.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {ORIGIN.match(self.url)[0]}"
        return response


@pages.get("/file/<file_id>/preview")
@box.login_required
def preview(file_id):
    """Show the preview in a tab of its own, for browsers that block the frame."""
    shown = Preview.of(file_id)
    if shown.url:
        return redirect(shown.url)
    flash(shown.why_not, "error")
    return redirect(url_for(".file", file_id=file_id))
