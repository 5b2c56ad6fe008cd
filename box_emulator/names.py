"""Names of items: which ones Box takes, and when two are the same."""

from __future__ import annotations

import unicodedata

from .errors import refused

MAX_NAME = 255


def name_key(name: str) -> str:
    """What makes two names the same: Box ignores case."""
    return unicodedata.normalize("NFC", name).casefold()


def check_name(name: str) -> str:
    """Return the name, or raise Box's 400 (guides, common errors; OpenAPI, post_folders).

    At most 255 characters, no slashes, no control characters, not only spaces, none at the end, not “.” or “..”. The
    guide also names ``< > : | ? * -`` and spaces at the beginning; the description does not, and Box takes them.
    """
    if len(name) > MAX_NAME:
        raise refused("item_name_too_long")
    if not name.strip() or name in (".", "..") or name != name.rstrip(" "):
        raise refused("item_name_invalid")
    if any(character in "/\\" or unicodedata.category(character) == "Cc" for character in name):
        raise refused("item_name_invalid")
    return name
