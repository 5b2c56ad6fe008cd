"""Each request has an id: in its answer, on error pages, in the log, and in what is sent to Box for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from .. import request_id
from .app_state import AppState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class RequestIds:
    """Gives every request an id, a proxy's own where one is trusted, until its answer is sent."""

    def __init__(self, app: Flask) -> None:
        self._flask, self._app = app, cast("WSGIApplication", app.wsgi_app)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = request_id.choose(environ.get("HTTP_X_REQUEST_ID", "") if self._behind_a_proxy() else "")

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers = [header for header in headers if header[0].lower() != request_id.HEADER.lower()]
            return start_response(status, [*headers, (request_id.HEADER, name)], exc_info)

        def end() -> None:
            if request_id.current() == name:
                request_id.use("")

        request_id.use(name)
        return answer(self._app, environ, cast("StartResponse", start), end)

    def _behind_a_proxy(self) -> bool:
        state: AppState = self._flask.extensions["box_auth"]
        return state.opened is not None and state.opened.settings.trusted_proxies > 0


def answer(
    app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, end: Callable[[], None]
) -> Iterable[bytes]:
    """Have ``app`` answer, and call ``end`` when its answer is sent, or when it fails."""
    try:
        body = app(environ, start_response)
    except BaseException:
        end()
        raise
    if isinstance(body, environ.get("wsgi.file_wrapper", ())):  # servers know a faster way to send it than reading
        end()
        return cast("Iterable[bytes]", body)
    return ClosingIterator(body, end)
