"""The addresses for whatever watches the app: /livez, /readyz, and /healthz, which is the second by its older name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response

from ..flow import Flow
from ..readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .sessions import BrowserSessions


def install(app: Flask, flow: Flow, sessions: BrowserSessions) -> None:
    """Have ``app`` answer them: it is ready when what a sign-in brings can be kept. Warnings change nothing of that."""

    def check() -> None:
        flow.store.check_writable()
        sessions.check_writable()

    answer_with(app, Readiness(check, flow.store.away).trouble, lambda: flow.network.warning)


def answer_with(app: Flask, trouble: Callable[[], str], warning: Callable[[], str] = str) -> None:
    """The same, where ``trouble`` returns the code of what is wrong, or nothing."""
    app.wsgi_app = _Health(app.wsgi_app, trouble, warning)  # type: ignore[method-assign]


class _Health:
    """Answers before the app does: under any host name, as probes come by address, without the session, and whatever
    the app's own hooks ask of visitors."""

    def __init__(self, app: WSGIApplication, trouble: Callable[[], str], warning: Callable[[], str]) -> None:
        self._app, self._trouble, self._warning = app, trouble, warning

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/livez":
            return _answer({"alive": True})(environ, start_response)
        if path not in ("/readyz", "/healthz"):
            return self._app(environ, start_response)
        code = self._trouble()
        told: dict[str, object] = {"ready": False, "code": code} if code else {"ready": True}
        if warning := self._warning():
            told["warning"] = warning
        return _answer(told, 503 if code else 200)(environ, start_response)


def _answer(told: dict[str, object], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(json.dumps(told) + "\n", status, headers, mimetype="application/json")
