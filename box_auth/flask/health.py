"""The addresses for whatever watches the app: /livez, /readyz, and /healthz, which is the second by its older name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response

from ..readiness import Readiness
from ..stores.base import TokenStore

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .sessions import BrowserSessions


def install(app: Flask, store: TokenStore, sessions: BrowserSessions) -> None:
    """Have ``app`` answer them: it is ready when both can keep what a sign-in brings."""

    def check() -> None:
        store.check_writable()
        sessions.check_writable()

    answer_with(app, Readiness(check, store.away).trouble)


def answer_with(app: Flask, trouble: Callable[[], str]) -> None:
    """The same, where ``trouble`` returns the code of what is wrong, or nothing."""
    app.wsgi_app = _Health(app.wsgi_app, trouble)  # type: ignore[method-assign]


class _Health:
    """Answers before the app does: under any host name, as probes come by address, without the session, and whatever
    the app's own hooks ask of visitors."""

    def __init__(self, app: WSGIApplication, trouble: Callable[[], str]) -> None:
        self._app, self._trouble = app, trouble

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/livez":
            return _answer({"alive": True})(environ, start_response)
        if path not in ("/readyz", "/healthz"):
            return self._app(environ, start_response)
        code = self._trouble()
        told: dict[str, object] = {"ready": False, "code": code} if code else {"ready": True}
        return _answer(told, 503 if code else 200)(environ, start_response)


def _answer(told: dict[str, object], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(json.dumps(told) + "\n", status, headers, mimetype="application/json")
