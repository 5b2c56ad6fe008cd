"""The switches over HTTP, for tests in any language: JSON in and out, after `Emulator`'s methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

from . import console
from .apps import LOOPBACK
from .emulator import Emulator, here
from .tokens import TokenPair

routes = Blueprint("switches", __name__, url_prefix="/_emulator")


@routes.before_request
def only_this_machine() -> tuple[Response, int] | None:
    """Refuse other machines, and pages in a browser: those cannot send JSON elsewhere, nor name another host."""
    local = (request.remote_addr or "").startswith("127.") or request.remote_addr in LOOPBACK
    if not local or urlsplit(f"//{request.host}").hostname not in LOOPBACK:
        return jsonify(error="The switches are for this machine only."), 403
    if request.method == "POST" and not (request.is_json or console.is_own_form()):
        return jsonify(error="Send JSON, with Content-Type application/json."), 415
    return None


@routes.get("/")
def state() -> Response | str:
    """The state of everything: a page for people, JSON for programs."""
    return console.page() if "text/html" in request.headers.get("Accept", "") else _state(here())


@routes.post("/")
def press() -> BaseResponse:
    """A button of the page."""
    return console.press()


@routes.get("/emulator.css")
def stylesheet() -> Response:
    return send_from_directory(f"{routes.root_path}/static", "emulator.css")


@routes.after_request
def protect(response: Response) -> Response:
    """No framing, no scripts, and nothing kept."""
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.post("/clock")
def clock() -> tuple[Response, int] | Response:
    """``{"advance": seconds}`` and ``{"frozen": true}``."""

    def turn(emulator: Emulator, advance: float = 0, frozen: bool | None = None) -> None:
        emulator.clock.advance(advance)
        if frozen is not None:
            (emulator.clock.freeze if frozen else emulator.clock.unfreeze)()

    return _call(turn)


@routes.post("/tokens/expire")
def expire() -> tuple[Response, int] | Response:
    """``{"kind": "refresh", "user": "ada@example.com"}``; both may be left out."""
    return _call(Emulator.expire_tokens)


@routes.post("/tokens/revoke")
def revoke() -> tuple[Response, int] | Response:
    """``{"user": "ada@example.com"}``, or ``{}`` for everyone."""
    return _call(Emulator.revoke_tokens)


@routes.post("/options")
def options() -> tuple[Response, int] | Response:
    """``{"lenient_refresh": true}`` and the other `Options`."""
    return _call(Emulator.set_options)


@routes.post("/faults")
def fault() -> tuple[Response, int] | Response:
    """``{"route": "POST /oauth2/token", "status": 503, "times": 2}`` and the rest of `Emulator.fault`."""
    return _call(Emulator.fault)


@routes.delete("/faults")
def clear_faults() -> Response:
    here().faults.clear()
    return _state(here())


@routes.get("/requests")
def requests() -> Response:
    return jsonify([asdict(entry) for entry in here().requests])


@routes.delete("/requests")
def clear_requests() -> Response:
    here().requests.clear()
    return _state(here())


@routes.post("/origins")
def origins() -> tuple[Response, int] | Response:
    """``{"origins": ["http://localhost:3000"]}``, and ``"client_id"`` for another app than the first."""

    def allow(emulator: Emulator, origins: list[str], client_id: str | None = None) -> None:
        app = emulator.apps.get(client_id) if client_id else None
        if client_id and app is None:
            raise ValueError(f"There is no app {client_id}.")
        if not isinstance(origins, list):
            raise ValueError("Origins are a list.")
        emulator.allow_origins(*map(str, origins), app=app)

    return _call(allow)


@routes.post("/tokens")
def sign_in() -> tuple[Response, int] | Response:
    """``{"user": "ada@example.com"}``: tokens as if this user had just granted access."""
    pair: list[TokenPair] = []
    answer = _call(lambda emulator, user: pair.append(emulator.sign_in(user)))
    return jsonify(asdict(pair[0])) if pair else answer


@routes.post("/reset")
def reset() -> tuple[Response, int] | Response:
    """``{}``, or ``{"seed": {"users": [...]}}`` for other users and files than before."""
    return _call(Emulator.reset)


def _call(method: Callable[..., None]) -> tuple[Response, int] | Response:
    """Call with the JSON object as keyword arguments; what does not fit is a 400 that says so."""
    try:
        arguments: Any = request.get_json(silent=True)
    except RecursionError:
        arguments = None
    if not isinstance(arguments, dict):
        return jsonify(error="Send a JSON object."), 400
    if not isinstance(arguments.get("user", ""), (str, type(None))):
        return jsonify(error="A user is a login."), 400
    try:
        method(here(), **arguments)
    except KeyError as unknown:
        return jsonify(error=f"There is no user {unknown}."), 400
    except (TypeError, ValueError) as error:
        return jsonify(error=str(error)), 400
    return _state(here())


def _state(emulator: Emulator) -> Response:
    counts = emulator.requests.counts().items()
    return jsonify(
        now=emulator.clock.now(),
        frozen=emulator.clock.frozen,
        options=asdict(emulator.options),
        refreshes=emulator.tokens.refreshes,
        faults=[asdict(fault) for fault in emulator.faults],
        requests=[{"method": m, "path": p, "status": s, "count": count} for (m, p, s), count in counts],
        users=[{"id": user.id, "name": user.name, "login": user.login} for user in emulator.users],
    )
