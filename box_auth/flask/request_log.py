"""The JSON log's own lines: one for each request, when its answer is sent, and one for what happens to a sign-in."""

from __future__ import annotations

import functools
import logging
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, g, request, request_finished, request_started

from .. import json_lines, request_id, signals
from ..logs import shown_user
from ..stores.record import TokenRecord
from .request_ids import answer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_requests = logging.getLogger("box_auth.requests")  # gunicorn.conf.py sends these where its own went
_events = logging.getLogger("box_auth.events")
_EVENTS = {  # those that somebody should look at are warnings
    signals.signed_in: logging.INFO,
    signals.signed_out: logging.INFO,
    signals.token_refreshed: logging.INFO,
    signals.sign_in_refused: logging.WARNING,
    signals.sign_in_lost: logging.WARNING,
}


@dataclass
class _Seen:
    """What is known of the request under way. Threads that work for it write here, too."""

    began: float = field(default_factory=time.monotonic)
    request_id: str | None = None
    status: int = 500
    route: str | None = None
    user_id: str = ""
    calls: list[tuple[float, float]] = field(default_factory=list)  # when each began and ended
    box_request_ids: list[str] = field(default_factory=list)

    def box_seconds(self) -> float:
        """Return for how long at least one call to Box was under way."""
        covered, end = 0.0, self.began
        for began, ended in sorted(self.calls):
            covered += max(0.0, ended - max(began, end))
            end = max(end, ended)
        return covered


_seen: ContextVar[_Seen | None] = ContextVar("box_request_seen", default=None)


def install(app: Flask) -> None:
    """Have the process log as JSON, with a line for each request to ``app`` in place of the server's own."""
    json_lines.log_as_json("werkzeug", app.name)
    for logger in (_requests, _events):
        logger.setLevel(logging.INFO)
    server = logging.getLogger("werkzeug")
    if _is_no_request not in server.filters:
        server.filters.insert(0, _is_no_request)  # before one that rewrites its lines
    request_started.connect(_note_route, app)
    request_finished.connect(_note_user, app)
    if _note_call not in list(signals.box_called.receivers_for(None)):
        signals.box_called.connect(_note_call)
        for signal, level in _EVENTS.items():
            signal.connect(functools.partial(_log_event, signal.name.replace("-", "_"), level), weak=False)
    app.wsgi_app = _RequestLog(app.wsgi_app)  # type: ignore[method-assign]


class _RequestLog:
    """Writes one line when an answer is sent, or when it could not be."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen = _Seen()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen.status = int(status[:3])
            seen.request_id = next((value for name, value in headers if name == request_id.HEADER), None)
            return start_response(status, headers, exc_info)

        def end() -> None:
            _seen.set(None)
            _log_request(environ, seen)

        _seen.set(seen)
        return answer(self._app, environ, cast("StartResponse", start), end)


def _log_request(environ: WSGIEnvironment, seen: _Seen) -> None:
    line = {
        "event": "request",
        "id": seen.request_id,
        "method": environ["REQUEST_METHOD"],
        "route": seen.route,
        "status": seen.status,
        "duration_ms": round(1000 * (time.monotonic() - seen.began), 1),
        "box_ms": round(1000 * seen.box_seconds(), 1),
        "box_request_ids": seen.box_request_ids,
        "user": shown_user(seen.user_id) or None,
        "client": environ.get("REMOTE_ADDR"),
    }
    if error := sys.exception():  # the server closes the answer while it handles what broke it off
        line["error"] = type(error).__name__
    _requests.info("%s %s %s", line["method"], seen.route, seen.status, extra={"box_told": line})


def _log_event(event: str, level: int, sender: object, *, request_id: str, user_id: str, **more: object) -> None:
    line = {"event": event, "id": request_id or None, "user": shown_user(user_id) or None, **more}
    if (seen := _seen.get()) and event in ("signed_in", "signed_out"):
        seen.user_id = user_id
    _events.log(level, "%s", event, extra={"box_told": line})


def _note_route(app: Flask, **more: object) -> None:
    if seen := _seen.get():
        seen.request_id = request_id.current()  # should the page fail before its answer begins
        seen.route = request.url_rule.rule if request.url_rule else None


def _note_user(app: Flask, **more: object) -> None:
    record: TokenRecord | None = g.get("box_record")
    if (seen := _seen.get()) and record:
        seen.user_id = record.user_id


def _note_call(sender: object, *, seconds: float, box_request_id: str, **more: object) -> None:
    if seen := _seen.get():
        now = time.monotonic()
        seen.calls.append((now - seconds, now))
        if box_request_id:
            seen.box_request_ids.append(box_request_id)


def _is_no_request(record: logging.LogRecord) -> bool:
    """Tell whether a line of werkzeug's is something else than that a request was answered."""
    return not (record.levelno == logging.INFO and str(record.msg).endswith('"%s" %s %s'))
