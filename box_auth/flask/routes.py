"""The engine's own pages: /login, /callback and /logout, and /setup in the demo."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import BuildError

from ..addresses import is_own_page, same_host
from ..errors import SignInFailed
from . import setup, visitor
from .app_state import app_state
from .sign_in_limit import SignInLimit

_LONGEST_NEXT = 400  # bytes of a page's address that are remembered over a sign-in: forty must fit into one request


def blueprint(demo: bool, limit: SignInLimit) -> Blueprint:
    """Return the routes, under the name ``box``; ``limit`` is for the callback of a live app."""
    routes = Blueprint("box", __name__)
    routes.add_url_rule("/login", "login", _login)
    routes.add_url_rule("/callback", "callback", _callback if demo else lambda: limit.refusal() or _callback())
    routes.add_url_rule("/logout", "logout", _logout, methods=["POST"])
    if demo:
        routes.add_url_rule("/setup", "setup", setup.show)
    return routes


def _login() -> ResponseReturnValue:
    flow, target = app_state().flow, request.args.get("next", "")
    if target and not is_own_page(target):
        raise SignInFailed("next_elsewhere")
    redirect_uri = flow.settings.redirect_uri
    if redirect_uri.startswith("/"):
        redirect_uri = url_for("box.callback", _external=True)
    elif not same_host(request.host, redirect_uri):
        # The cookies must be set where Box will send the visitor back to.
        if "moved" in request.args:
            raise SignInFailed("wrong_host")
        arguments = url_for("box.login", next=target or None, moved=1).partition("?")[2]
        return redirect(f"{redirect_uri.removesuffix('/callback')}/login?{arguments}")
    if len(target.encode()) > _LONGEST_NEXT:
        target = ""
    address, pending = flow.start(redirect_uri=redirect_uri, next=target)
    response = make_response(redirect(request.script_root + address if address.startswith("/") else address))
    visitor.remember_login(response, pending, redirect_uri)
    return response


def _callback() -> ResponseReturnValue:
    if request.method != "GET":  # Flask gives HEAD to whatever takes GET; one must not spend the state
        raise MethodNotAllowed(["GET"])
    state = app_state()
    pending = visitor.begun_login(request.args.get("state", ""))
    visitor.sign_in(state.flow.finish(request.args, pending, let_in=state.hooks.let_in))
    return redirect((pending and pending.next) or _after_login(state.after_login))


def _after_login(target: str) -> str:
    home = request.script_root + "/"
    if target.startswith("/"):
        return request.script_root + target
    try:
        return url_for(target)
    except BuildError:
        current_app.logger.warning("after_login is %r, which is no endpoint of this app", target)
        return home


def _logout() -> ResponseReturnValue:
    record = visitor.current_record()
    if record is not None:
        app_state().flow.forget(record.user_id, record.grant)
    visitor.tell_end("button")
    visitor.end_session()
    return redirect(request.script_root + "/")
