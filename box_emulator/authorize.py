"""The pages at which a user grants or denies an app access. They work under any prefix, behind any proxy."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

from .apps import App, RedirectRefused
from .emulator import here
from .scopes import SCOPES
from .tokens import Grant

routes = Blueprint("authorize", __name__)

_PROBLEMS = {
    "invalid_client": "No app has this client id. Check CLIENT_ID.",
    "redirect_uri_mismatch": "The redirect URI in the request is none of those registered for the app.",
    "redirect_uri_missing": "The request names no redirect URI, and the app has more than one, or none.",
    "unsupported_response_type": "The response type must be “code”.",
    "invalid_scope": "The request asks for a scope that Box does not know.",
    "invalid_request": "Open the page again from your app, and choose a user.",
}


class Refused(Exception):
    """The request is wrong in a way of which Box tells the user, not the app: nothing is sent back."""


@routes.get("/api/oauth2/authorize")
def ask() -> str:
    """Show the consent page (OpenAPI, get_authorize)."""
    app, _ = _check()
    return render_template("consent.html", app=app, users=here().users)


@routes.post("/api/oauth2/authorize")
def decide() -> BaseResponse:
    """Send the browser back with a code, or with the refusal. The form posts to the address it was shown at.

    Box's words for a refusal are not documented; the error is, and its description is what other servers of this
    kind say.
    """
    app, target = _check()
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused("invalid_request")  # another site pressed the button
    if request.form.get("decision") != "grant":
        denied = "The user denied access to your application"
        return _back(target, error="access_denied", error_description=denied)
    user = here().users.get(request.form.get("user", ""))
    if user is None:
        raise Refused("invalid_request")
    scope = request.args.get("scope") or None
    return _back(target, code=here().codes.issue(Grant(app.client_id, user.id, scope)))


@routes.get("/api/oauth2/emulator.css")
def stylesheet() -> Response:
    return send_from_directory(f"{routes.root_path}/static", "emulator.css")


@routes.errorhandler(Refused)
def explain(error: Refused) -> tuple[str, int]:
    """Box: a wrong client or redirect URI is an error page, with no way back (guides, OAuth 2.0 without SDKs)."""
    code = str(error)
    given = request.args.get("redirect_uri") if code == "redirect_uri_mismatch" else None
    return render_template("refused.html", code=code, text=_PROBLEMS[code], given=given), 400


@routes.after_request
def protect(response: Response) -> Response:
    """No framing, no caching, no scripts."""
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _check() -> tuple[App, str]:
    app = here().apps.get(request.args.get("client_id", ""))
    if app is None:
        raise Refused("invalid_client")
    try:
        target = app.redirect(request.args.get("redirect_uri"))
    except RedirectRefused as refused:
        raise Refused(str(refused)) from None
    if request.args.get("response_type") != "code":
        raise Refused("unsupported_response_type")
    if not set(request.args.get("scope", "").split()) <= set(SCOPES):
        raise Refused("invalid_scope")
    return app, target


def _back(target: str, **answer: str) -> BaseResponse:
    """Redirect with the answer, and with the state as it came (OpenAPI, get_authorize)."""
    if "state" in request.args:
        answer["state"] = request.args["state"]
    return redirect(f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}")
