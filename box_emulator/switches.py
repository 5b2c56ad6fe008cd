"""The switches over HTTP, for tests in any language: JSON in and out, after `Emulator`'s methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from .apps import LOOPBACK
from .emulator import Emulator, here

routes = Blueprint("switches", __name__, url_prefix="/_emulator")


@routes.before_request
def only_this_machine() -> tuple[Response, int] | None:
    """Refuse other machines, and pages in a browser: those cannot send JSON elsewhere, nor name another host."""
    local = (request.remote_addr or "").startswith("127.") or request.remote_addr in LOOPBACK
    if not local or urlsplit(f"//{request.host}").hostname not in LOOPBACK:
        return jsonify(error="The switches are for this machine only."), 403
    if request.method == "POST" and not request.is_json:
        return jsonify(error="Send JSON, with Content-Type application/json."), 415
    return None


@routes.get("/")
def state() -> Response:
    return _state(here())


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


@routes.post("/reset")
def reset() -> tuple[Response, int] | Response:
    return _call(Emulator.reset)


def _call(method: Callable[..., None]) -> tuple[Response, int] | Response:
    """Call with the JSON object as keyword arguments; what does not fit is a 400 that says so."""
    arguments: Any = request.get_json(silent=True)
    if not isinstance(arguments, dict):
        return jsonify(error="Send a JSON object."), 400
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
