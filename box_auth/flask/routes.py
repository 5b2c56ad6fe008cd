"""The engine's own addresses: /login, /callback, /logout and /healthz, and /setup in the demo."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.routing import BuildError

from ..addresses import is_own_page, same_host
from ..errors import BoxAuthError, SignInFailed
from . import setup, visitor
from .state import state


def blueprint(demo: bool) -> Blueprint:
    """Return the routes, under the name ``box``."""
    routes = Blueprint("box", __name__)
    routes.add_url_rule("/login", "login", _login)
    routes.add_url_rule("/callback", "callback", _callback)
    routes.add_url_rule("/logout", "logout", _logout, methods=["POST"])
    routes.add_url_rule("/healthz", "ready", _ready)
    if demo:
        routes.add_url_rule("/setup", "setup", setup.show)
    return routes


def _login() -> ResponseReturnValue:
    flow, target = state().engine, request.args.get("next", "")
    if target and not is_own_page(target):
        raise SignInFailed("next_elsewhere")
    redirect_uri = flow.settings.redirect_uri
    if redirect_uri.startswith("/"):
        redirect_uri = url_for("box.callback", _external=True)
    elif not same_host(request.host, redirect_uri):
        # The session's cookie must be set where Box will send the visitor back to.
        if "moved" in request.args:
            raise SignInFailed("wrong_host")
        arguments = url_for("box.login", next=target or None, moved=1).partition("?")[2]
        return redirect(f"{redirect_uri.removesuffix('/callback')}/login?{arguments}")
    address, pending = flow.start(redirect_uri=redirect_uri, next=target)
    visitor.remember_login(pending)
    return redirect(request.script_root + address if address.startswith("/") else address)


def _callback() -> ResponseReturnValue:
    app = state()
    pending = visitor.take_login(request.args.get("state", ""))
    visitor.sign_in(app.engine.finish(request.args, pending, let_in=app.hooks.let_in))
    return redirect((pending and pending.next) or _after_login(app.after_login))


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
        state().engine.forget(record.user_id, record.grant)
    visitor.sign_out("button")
    session.clear()
    return redirect(request.script_root + "/")


def _ready() -> ResponseReturnValue:
    try:
        state().engine.store.check_room()
        return {"ready": True}
    except BoxAuthError as error:
        return {"ready": False, "code": error.code}, 503
