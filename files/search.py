"""Finding files and folders by their names and contents."""

from flask import render_template, request

from box_auth.flask import box

from . import item_address, pages
from .listing import FIELDS

LONGEST = 255  # characters of a search text
FOUND = 30  # on a page
LAST = 9990  # Box finds nothing behind its 10 000th result, and refuses to look


@pages.get("/search")
@box.login_required
def search():
    """Show what was found: as a page, or as JSON for the script that looks while somebody types."""
    text = request.args.get("q", "").strip()[:LONGEST]
    offset = max(0, min(request.args.get("offset", 0, type=int), LAST))
    found = {"entries": [], "total_count": 0}
    if text:
        found = box.get("/search", query=text, fields=[*FIELDS, "parent"], limit=FOUND, offset=offset)
    if box.wants_json:
        names = [
            {"name": item["name"], "type": item["type"], "address": item_address(item)} for item in found["entries"]
        ]
        return {"found": names}
    return render_template("files/search.html", text=text, found=found, offset=offset, size=FOUND)
