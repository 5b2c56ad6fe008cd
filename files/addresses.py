"""Where the rows of a list lead. Their addresses differ by a number, so each kind is made once a page."""

import re

from flask import url_for

from .items import ID, PATHS

NUMBER = re.compile(rf"(?:(?:{'|'.join(PATHS)}):)?{ID.pattern}")  # of an item, or an item itself: no sign is escaped
MARK = "9" * 19  # with a digit more it stands for a number while an address is made
ROOT = {"folder_id": "0"}  # whose address has no number


class Addresses:
    """The addresses of one page. In those of another request the path before, or the host, may be another."""

    def __init__(self):
        self._made, self._items = {}, {}

    def __call__(self, endpoint, **numbers):
        """Return what ``url_for`` does, in a quarter of the time once it has made such an address for this page."""
        for number in numbers.values():
            if not NUMBER.fullmatch(str(number)) or numbers == ROOT:
                return url_for(endpoint, **numbers)
        made = self._made.get((endpoint, *numbers)) or self._make(endpoint, numbers)
        return made % numbers

    def _make(self, endpoint, names):
        marks = {name: f"{MARK}{at}" for at, name in enumerate(names)}
        address = url_for(endpoint, **marks).replace("%", "%%")
        for name, mark in marks.items():
            address = address.replace(mark, f"%({name})s")
        self._made[endpoint, *names] = address
        return address

    # What a long list has in each row goes without the names of numbers, which takes half of that time once more.

    def of_item(self, item):
        """Return the address of the page that shows an item, or None: a web link leads elsewhere."""
        kind, number = item.get("type"), str(item.get("id"))
        if kind not in ("folder", "file") or not ID.fullmatch(number):
            return None
        if number == "0":
            return url_for(f"files.{kind}", **{f"{kind}_id": number})
        before, after = self._items.get(kind) or self._around(kind, f"files.{kind}", f"{kind}_id")
        return f"{before}{number}{after}"

    def of_thumbnail(self, item):
        """Return the address of a file's small picture. It changes with the file, so that browsers may keep that."""
        number, etag = str(item.get("id")), item.get("etag")
        if not ID.fullmatch(number):
            return None
        if not ID.fullmatch(str(etag)):
            return url_for("files.thumbnail", file_id=number, of=etag)
        before, after = self._items.get("thumbnail") or self._around("thumbnail", "files.thumbnail", "file_id")
        return f"{before}{number}{after}?of={etag}"

    def _around(self, kind, endpoint, name):
        """Return what stands before and behind the number."""
        mark = f"{MARK}0"
        before, _, after = url_for(endpoint, **{name: mark}).partition(mark)
        self._items[kind] = before, after
        return before, after


class Found:
    """A function as a mapping, for the rows of long lists: Jinja looks up in a third of the time in which it calls."""

    def __init__(self, find):
        self._find = find

    def __getitem__(self, item):
        return self._find(item)
