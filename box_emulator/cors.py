"""Calls from pages in a browser: which origins may make them, and what the browser is told."""

from __future__ import annotations

from fnmatch import fnmatchcase

from flask import Response, g, request

from .apps import App
from .errors import ApiError


def preflight() -> Response | None:
    """Answer a browser that asks what a page may send; None for an ``OPTIONS`` of Box's own.

    There is no token in such a question, hence no app to know the origins of: the call itself is refused.
    """
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    g.cross_origin = True
    headers = {
        "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", ""),
        "Access-Control-Max-Age": "600",
    }
    return Response(status=200, headers=headers)


def check_origin(app: App) -> None:
    """Let the page's origin pass if the app lists it (Box: guides, CORS).

    An entry may have ``*`` for subdomains; scheme and port must match. An empty list means that no page may call.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return
    g.cross_origin = True
    if not any(fnmatchcase(origin.lower(), allowed.lower()) for allowed in app.origins):
        message = "Access denied - Did you forget to safelist your origin in the CORS config of your app?"
        raise ApiError(403, message, code="cors_origin_not_whitelisted", context={"origin": origin})


def for_all() -> Response | None:
    """Let every page pass, as on the download host: whoever has a signed address may use it."""
    g.cross_origin = "Origin" in request.headers
    return preflight()


def open_up(response: Response) -> Response:
    """Let the browser show the answer to the page. Box: for any, once the origin was checked (guides, CORS)."""
    if g.get("cross_origin"):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.vary.add("Origin")
    return response
