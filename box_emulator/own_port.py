"""What pages of an app may ask of the emulator on the app's own port: the content API, with a token made for a page."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

from .access import bearer
from .emulator import here
from .errors import ApiError

_CONTENT_API = "/2.0/"


def check() -> None:
    """Let pass what a page of this very app sends, with a token that can do less than the app's own.

    Box would be another host, and let pages of the app's origins call (`cors`). Here the app is the only one, needs
    no list for itself, and nobody else is told anything. The consent page and downloads see to themselves.
    """
    if not request.path.startswith(_CONTENT_API):
        return
    if not _from_this_app():
        raise ApiError(403, "Only pages of this app may call the emulator on the app's port.")
    request.environ.pop("HTTP_ORIGIN", None)
    grant = here().tokens.authenticate(bearer())
    if grant is not None and grant.scope is None:
        raise ApiError(403, "On the app's port, only tokens that were exchanged for fewer scopes are good.")


def _from_this_app() -> bool:
    """Believe the browser's own word, where it gives one: a proxy may have changed the host."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:  # such as an unclosed bracket
        return False
