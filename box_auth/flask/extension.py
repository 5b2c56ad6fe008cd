"""The extension: routes for signing in and out, and what pages ask: who is signed in, and a client for them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, cast

from box_sdk_gen import BoxClient
from flask import Blueprint, Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from .. import config
from ..addresses import is_own_page, same_host
from ..cli import commands
from ..errors import BoxAuthError, ConfigError, SignInFailed, SignInRequired
from ..flow import Flow, open_flow
from . import pages, run, sessions, setup, visitor
from .visitor import User

Demo = Callable[[Flask, Path], Mapping[str, str]]
View = ParamSpec("View")


class BoxAuth:
    """Signs visitors of a Flask app in with Box.

    ``demo`` is called instead of Box when no CLIENT_ID and no CLIENT_SECRET are set: it gets the app and a folder,
    and returns the settings of a stand-in. Visitors go to ``after_login`` when a sign-in names no page of its own.
    """

    def __init__(self, app: Flask | None = None, *, demo: Demo | None = None, after_login: str = "/dashboard") -> None:
        self._demo, self._after_login = demo, after_login
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Read the settings and prepare ``app``. Wrong settings do not stop it: every page then says what to fix."""
        pages.install(app)
        app.cli.add_command(commands.box)
        app.context_processor(lambda: {"box": self})
        data = Path(app.instance_path)
        try:
            values = config.read(Path(app.root_path))
            demo = self._demo is not None and config.is_demo(values)
            if demo and self._demo:
                data = data / "demo"  # apart from what belongs to a real account
                values = {**values, **self._start_demo(app, data), "REDIRECT_URI": "/callback"}
            settings = config.parse(values, data, run.listening_port(), own_pages=demo)
            run.listen_as_set(settings)
            sessions.install(app, data, settings)
            flow = open_flow(settings)
        except BoxAuthError as error:
            pages.explain(app, error)
            return
        if hops := settings.trusted_proxies:
            behind = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)
            app.wsgi_app = behind  # type: ignore[method-assign]
        app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the session
        if "csrf" not in app.extensions:
            CSRFProtect(app)
        app.extensions["box_auth"] = _State(flow, demo, data)
        app.register_blueprint(self._routes(demo))

    @property
    def flow(self) -> Flow:
        """The engine behind this app, for whatever the methods here do not cover."""
        return cast(_State, current_app.extensions["box_auth"]).flow

    @property
    def is_set_up(self) -> bool:
        """Whether the settings are right, so that people can sign in."""
        return "box_auth" in current_app.extensions

    @property
    def demo(self) -> bool:
        """Whether a stand-in plays Box."""
        return bool(getattr(current_app.extensions.get("box_auth"), "demo", False))

    @property
    def user(self) -> User | None:
        """Who is signed in on this request, or None."""
        if not self.is_set_up:
            return None
        if "box_user" not in g:
            g.box_user = None  # should the store fail now, the page that tells of it must not ask again
            g.box_user = visitor.find_user(self.flow)
        return cast(User | None, g.box_user)

    @property
    def client(self) -> BoxClient:
        """An SDK client that acts for who is signed in; its calls keep the token fresh. Raises `SignInRequired`."""
        if self.user is None:
            raise SignInRequired(visitor.why_signed_out())
        if "box_client" not in g:
            g.box_client = self.flow.client(self.user.id, session["box_grant"])
        return cast(BoxClient, g.box_client)

    def at_once(self, *calls: Callable[[], Any]) -> list[Any]:
        """Make several calls to Box side by side; return their results in order."""
        return self.flow.network.at_once(*calls)

    def login_required(self, view: Callable[View, ResponseReturnValue]) -> Callable[View, ResponseReturnValue]:
        """Decorate a page that needs a signed-in user; other visitors are sent to sign in and come back to it."""

        @functools.wraps(view)
        def checked(*args: View.args, **kwargs: View.kwargs) -> ResponseReturnValue:
            if self.user is not None:
                return view(*args, **kwargs)
            why = visitor.why_signed_out()
            if why != "sign_in_needed" or request.method not in ("GET", "HEAD"):
                raise SignInRequired(why)
            return redirect(url_for("box.login", next=request.script_root + request.full_path.rstrip("?")))

        return checked

    def _start_demo(self, app: Flask, data: Path) -> Mapping[str, str]:
        try:
            return cast(Demo, self._demo)(app, data)
        except Exception as error:  # whatever a stand-in may raise: it is not ours to know
            raise ConfigError([f"The demo could not start: {error} Remove {data} to start it over."]) from None

    def _routes(self, demo: bool) -> Blueprint:
        routes = Blueprint("box", __name__)
        routes.add_url_rule("/login", "login", self._login)
        routes.add_url_rule("/callback", "callback", self._callback)
        routes.add_url_rule("/logout", "logout", self._logout, methods=["POST"])
        routes.add_url_rule("/healthz", "ready", self._ready)
        if demo:
            routes.add_url_rule("/setup", "setup", setup.show)
        return routes

    def _login(self) -> ResponseReturnValue:
        target = request.args.get("next", "")
        if target and not is_own_page(target):
            raise SignInFailed("next_elsewhere")
        redirect_uri = self.flow.settings.redirect_uri
        if redirect_uri.startswith("/"):
            redirect_uri = url_for("box.callback", _external=True)
        elif not same_host(request.host, redirect_uri):
            # The session's cookie must be set where Box will send the visitor back to.
            if "moved" in request.args:
                raise SignInFailed("wrong_host")
            arguments = url_for("box.login", next=target or None, moved=1).partition("?")[2]
            return redirect(f"{redirect_uri.removesuffix('/callback')}/login?{arguments}")
        address, pending = self.flow.start(redirect_uri=redirect_uri, next=target)
        visitor.remember_login(pending)
        return redirect(request.script_root + address if address.startswith("/") else address)

    def _callback(self) -> ResponseReturnValue:
        pending = visitor.take_login(request.args.get("state", ""))
        visitor.sign_in(self.flow.finish(request.args, pending))
        return redirect((pending and pending.next) or request.script_root + self._after_login)

    def _logout(self) -> ResponseReturnValue:
        if self.user is not None:
            self.flow.forget(self.user.id, session["box_grant"])
        session.clear()
        return redirect(request.script_root + "/")

    def _ready(self) -> ResponseReturnValue:
        try:
            store = self.flow.store
            with store.lock("0"):  # nobody's id
                store.check_room("0")
            return {"ready": True}
        except BoxAuthError as error:
            return {"ready": False, "code": error.code}, 503


@dataclass(frozen=True)
class _State:
    flow: Flow
    demo: bool
    data: Path
