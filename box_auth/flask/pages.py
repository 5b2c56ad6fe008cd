"""What a visitor sees when something fails: a page with what happened and what to do. Keeps login codes from logs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import requests
from box_sdk_gen import BoxAPIError
from flask import Flask, Response, current_app, has_request_context, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from .. import request_id
from ..addresses import is_public_https
from ..errors import BoxAuthError, BoxUnavailable, ConfigError, SignInRequired, refusal, refused_call
from ..json_lines import announce
from ..logs import TracesApart, hide_login_codes, keep_trace_apart, printable, rewrite
from ..plain_page import problem_page
from ..problems import Problem
from . import health, visitor
from .app_state import app_state
from .request_ids import RequestIds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Nothing from elsewhere, no script or style in the page itself, no frame around it. A page's own header wins.
POLICY = "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
HSTS = "max-age=31536000"  # seconds: a year
_BY_STATUS = {403: "forbidden", 404: "not_found", 405: "wrong_method", 413: "too_large"}


def install(app: Flask) -> None:
    """Give ``app`` a page for every failure (``templates/problem.html``), careful headers and a discreet log."""
    app.register_error_handler(BoxAuthError, lambda error: show(error))
    app.register_error_handler(BoxAPIError, _box_refused)
    app.register_error_handler(requests.RequestException, lambda error: show(BoxUnavailable("box_unreachable")))
    app.register_error_handler(CSRFError, lambda error: show(BoxAuthError("form_expired")))
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(_careful_headers)
    hide_login_codes("werkzeug", "gunicorn.error", "gunicorn.access")
    app.wsgi_app = _debug_traces_apart(app)  # type: ignore[method-assign, assignment]
    app.wsgi_app = RequestIds(app)  # type: ignore[method-assign]
    logger = logging.getLogger(app.name)  # app.logger, whose handlers the app may still want to choose
    if _keep_paths_whole not in logger.filters:
        logger.addFilter(_keep_paths_whole)


def explain_settings(app: Flask, error: BoxAuthError) -> None:
    """Have every page of an app that cannot start say what to fix, and its terminal too."""
    health.answer_with(app, lambda: error.code)
    lines = error.mistakes if isinstance(error, ConfigError) else (str(error),)
    announce("\n".join([f"{error.problem.title}:", *(f"  - {line}" for line in lines)]))

    @app.before_request
    def say_what_to_fix() -> Response | None:
        return None if request.endpoint == "static" else show(error)


def show(error: BoxAuthError, status: int | None = None) -> Response:
    """Make the page for a failure, or the same as JSON for who asked for that. Visitors of a live app are not told what
    only its operator can fix."""
    if isinstance(error, SignInRequired):
        visitor.check_again(error.code)
    response = make_response(_json(error) if wants_json() else _page(error), status or error.problem.status)
    if response.status_code >= 500:  # for whoever runs the app; the path alone, as queries can hold login codes
        current_app.logger.warning("%s %s: %s (request %s)", request.method, request.path, error, request_id.current())
    if isinstance(error, BoxUnavailable) and error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def wants_json() -> bool:
    """Tell whether this request would rather have JSON than a page: by ``Accept``, as scripts set it."""
    return request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"


def _told(error: BoxAuthError) -> tuple[Problem, list[str]]:
    """Return what this visitor may know of a failure, in the app's words, and its details."""
    told = current_app.debug or app_state().demo
    problem = app_state().hooks.reword(error.problem if told else error.problem.for_visitor())
    lines = error.mistakes if isinstance(error, ConfigError) else (error.detail,)
    return problem, [line for line in lines if line] if told or not error.problem.operator else []


def _json(error: BoxAuthError) -> dict[str, object]:
    problem, details = _told(error)
    texts = {"title": problem.title, "happened": problem.happened, "todo": problem.todo}
    return {"error": {"code": problem.code, **texts, "details": details, "request": request_id.current()}}


def _page(error: BoxAuthError) -> str:
    """Render ``problem.html``; where an app has none, or it fails, a plain page says the same."""
    problem, details = _told(error)
    name = request_id.current()
    for _ in range(0 if isinstance(request.routing_exception, SecurityError) else 2):  # no address can be made then
        try:
            page = render_template("problem.html", problem=problem, details=details, request_id=name)
        except BoxAuthError:  # it asked who is signed in, and the store failed; it will not ask twice
            continue
        except TemplateNotFound:
            break
        except Exception:
            current_app.logger.exception("problem.html failed")
            break
        if problem.code in page:
            return page
        current_app.logger.warning("problem.html shows no code, or its base has no place for it: a plain page goes out")
        break
    can_sign_in = isinstance(error, SignInRequired) and app_state().opened
    login_url = url_for("box.login") if can_sign_in else ""
    return problem_page(problem, *details, login_url=login_url, request_id=name)


def explain(error: BoxAPIError | BoxAuthError) -> Problem:
    """Say what failed in words for the visitor; the log is told which call Box refused."""
    return _told(_named(error))[0]


def _named(error: BoxAPIError | BoxAuthError) -> BoxAuthError:
    if isinstance(error, BoxAuthError):
        return error
    current_app.logger.info("Box refused %s", refused_call(error))
    return refusal(error)


def _box_refused(error: BoxAPIError) -> Response:
    status = error.response_info.status_code
    return show(_named(error), status if 400 <= status < 500 and status != 401 else None)


def _http_error(error: HTTPException) -> Response:
    original = getattr(error, "original_exception", None)
    if isinstance(error, InternalServerError) and isinstance(original, BoxAuthError):
        return show(original)  # raised where Flask asks no handler: while the session was saved
    if isinstance(error.response, Response):  # a limiter's, that it made itself
        return error.response
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if isinstance(error, SecurityError):  # what it says is the visitor's own text, and nothing was looked up
        return show(BoxAuthError("host_unknown"))
    code = _BY_STATUS.get(status, "internal" if status >= 500 else "bad_request")
    own_words = error.description if error.description != type(error).description else None
    response = show(BoxAuthError(code, own_words or ""), status)
    response.headers.extend({name: value for name, value in error.get_headers() if name != "Content-Type"})
    return response


def _careful_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", POLICY)
    if (opened := app_state().opened) and is_public_https(opened.settings.redirect_uri):
        headers.setdefault("Strict-Transport-Security", HSTS)
    if request.endpoint != "static" or response.status_code >= 400:
        headers.setdefault("Cache-Control", "private, no-store")
    return response


def _debug_traces_apart(app: Flask) -> WSGIApplication:
    """Werkzeug's debugger writes its traces, with texts of visitors, past every logger to ``wsgi.errors``."""
    inner = app.wsgi_app

    def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if app.debug:
            environ["wsgi.errors"] = TracesApart(environ["wsgi.errors"])
        return inner(environ, start_response)

    return wsgi_app


def _keep_paths_whole(record: logging.LogRecord) -> bool:
    """Keep a path or a method that a visitor made up from beginning a line of its own or steering the terminal: Flask
    logs them, the path decoded, when a page fails."""
    if has_request_context():
        rewrite(record, _whole)
    keep_trace_apart(record)
    return True


def _whole(message: str) -> str:
    for made_up in (request.path, request.method):
        message = message.replace(made_up, printable(made_up))
    return message
