"""Finding files and folders by their names and contents."""

from flask import render_template, request

from box_auth.flask import box

from . import pages
from .addresses import Addresses
from .listing import FIELDS, asked_offset

LONGEST = 255  # characters of a search text
FOUND = 30  # on a page
LAST = 9990  # Box refuses to look behind its 10 000th result


@pages.get("/search")
@box.login_required
def search():
    """Show what was found: as a page, or as JSON for the script that looks while somebody types."""
    typed = request.args.get("q", "").strip()
    text = typed[:LONGEST].strip()
    offset = asked_offset(LAST)
    found = {"entries": [], "total_count": 0}
    if text:
        found = box.get("/search", query=text, fields=[*FIELDS, "parent"], limit=FOUND, offset=offset)
    entries = found.get("entries") or []
    if box.wants_json:
        address = Addresses().of_item
        return {"found": [{"name": item.get("name"), "address": address(item)} for item in entries]}
    page = {"text": text, "cut": len(typed) > LONGEST, "longest": LONGEST, "size": FOUND, "last": LAST}
    return render_template("files/search.html", found=found, offset=offset, **page)
