"""An item at Box, as forms and addresses name it: ``file:12``, ``folder:3``, ``web_link:4``."""

import re
from dataclasses import dataclass
from functools import partial

from box_sdk_gen import BoxAPIError
from flask import abort

from box_auth import BoxAuthError, BoxUnavailable, SignInRequired
from box_auth.flask import box

ID = re.compile(r"[0-9]{1,20}")
PATHS = {"file": "files", "folder": "folders", "web_link": "web_links"}
MOST = 100  # items that one form may name
AT_ONCE = 8  # of them at the same time


@dataclass(frozen=True)
class Item:
    """Box's calls for files, folders and web links differ by the path alone."""

    type: str
    id: str

    @classmethod
    def of(cls, text):
        kind, _, number = text.partition(":")
        if kind not in PATHS or not ID.fullmatch(number) or (kind, number) == ("folder", "0"):
            abort(400, "The address or form names an item that Box cannot have.")
        return cls(kind, number)

    @classmethod
    def several(cls, texts):
        """Read what was selected on a page. Nothing is a mistake of the visitor's that a page has to tell."""
        if not texts and box.wants_json:
            abort(400, "No item is named.")
        if len(texts) > MOST:
            abort(400, f"Select {MOST} items at most.")
        return [cls.of(text) for text in dict.fromkeys(texts)]

    def __str__(self):
        return f"{self.type}:{self.id}"

    @property
    def path(self):
        return f"/{PATHS[self.type]}/{self.id}"

    def about(self, *fields):
        """Ask Box about the item. A file in the trash still answers, which is for its page there alone."""
        about = box.get(self.path, fields=["name", "etag", "parent", "item_status", *fields])
        about["name"] = str(about.get("name") or "–")
        if about.get("item_status") == "trashed":
            raise BoxAuthError("item_trashed")
        return about

    def change(self, changes, etag=""):
        """Have Box change the item, unless it has another ``etag`` by now."""
        return box.send("PUT", self.path, changes, if_match=etag)

    def copy(self, changes):
        return box.send("POST", f"{self.path}/copy", changes)

    def trash(self):
        return box.send("DELETE", self.path, recursive=True if self.type == "folder" else None)


def folder_id_of(text):
    """Read the number of a folder from a form or a query."""
    if not ID.fullmatch(text):
        abort(400, "The address or form names a folder that Box cannot have.")
    return text


def explained(error):
    """Return a failure for a page that tells it itself. The end of a sign-in, and what a script is told, go on."""
    if isinstance(error, SignInRequired) or box.wants_json:
        raise error
    return box.explain(error)


def each(items, act):
    """Call ``act`` with each item, several at once. Return those that Box took, and the others with its reasons."""

    def one(item):
        try:
            act(item)
        except (BoxAPIError, BoxAuthError) as error:
            return explained(error)
        return None

    problems = []
    for at in range(0, len(items), AT_ONCE):
        problems += box.at_once(*(partial(one, item) for item in items[at : at + AT_ONCE]))
    told = list(zip(items, problems, strict=True))
    return [item for item, problem in told if not problem], [(item, problem) for item, problem in told if problem]


def counted(items):
    return "One item was" if len(items) == 1 else f"{len(items)} items were"


def parent_of(about):
    """Return the id of the folder that an item is in; the root's for one that somebody else shared."""
    parent = about.get("parent")
    number = str(parent.get("id")) if isinstance(parent, dict) else ""
    return number if ID.fullmatch(number) else "0"


def names_of(items):
    """Return each item's name, for a page that says what it is about; Box is asked side by side."""

    def name(item):
        try:
            return str(box.get(item.path, fields=["name"]).get("name") or "–")  # a file in the trash has one, too
        except (BoxAPIError, BoxUnavailable):  # gone, or not ours to see; whatever is done to it will say so
            return str(item)

    return dict(zip(items, box.at_once(*(partial(name, item) for item in items)), strict=True))


def quoted(name):
    """Return a name for use in a sentence: whichever way it is written, it turns no other words round (UAX 9)."""
    return f"“\u2068{name}\u2069”"
