"""The thin layer over Flask: ``BoxAuth(app)`` adds /login, /callback and /logout; pages ask it who is signed in."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, cast

from box_sdk_gen import BoxClient
from flask import Blueprint, Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.middleware.proxy_fix import ProxyFix

from . import cli, config, pages, serving, sessions, setup
from .checks import is_own_page, same_host
from .engine import open_flow
from .errors import BoxAuthError, ConfigError, SignInFailed, SignInRequired
from .flow import Flow, PendingLogin

Demo = Callable[[Flask, Path], Mapping[str, str]]
View = ParamSpec("View")
_PENDING = 10  # sign-ins under way that a browser may have; the oldest make room
_TOUCH = 86400.0  # seconds after which a session in use is written again, so that it lives on


@dataclass(frozen=True)
class User:
    """Who is signed in: Box's user id, and name and login as they were at sign-in."""

    id: str
    name: str
    login: str


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
        app.cli.add_command(cli.box)
        app.context_processor(lambda: {"box": self})
        data = Path(app.instance_path)
        try:
            values = config.read(Path(app.root_path))
            demo = self._demo is not None and config.is_demo(values)
            if demo and self._demo:
                data = data / "demo"  # apart from what belongs to a real account
                values = {**values, **self._start_demo(app, data), "REDIRECT_URI": "/callback"}
            settings = config.parse(values, data, serving.listening_port(), own_pages=demo)
            serving.listen_as_set(settings)
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
            g.box_user = self._find_user()
        return cast(User | None, g.box_user)

    @property
    def client(self) -> BoxClient:
        """An SDK client that acts for who is signed in; its calls keep the token fresh. Raises `SignInRequired`."""
        if self.user is None:
            raise SignInRequired(self._why_signed_out())
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
            why = self._why_signed_out()
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
        logins = dict(list(session.get("box_logins", {}).items())[-_PENDING + 1 :])
        session["box_logins"] = {**logins, pending.state: {"at": pending.begun_at, "next": target}}
        return redirect(request.script_root + address if address.startswith("/") else address)

    def _callback(self) -> ResponseReturnValue:
        state, logins = request.args.get("state", ""), session.get("box_logins", {})
        login = logins.get(state)
        if login and "used" in login:
            raise SignInFailed("state_used")
        if login:
            session["box_logins"] = {**logins, state: {**login, "used": True}}
        record = self.flow.finish(request.args, PendingLogin(state, login["at"]) if login else None)
        session.pop("csrf_token", None)
        session.update(box_user=record.user_id, box_grant=record.grant, box_touched=time.time())
        generate_csrf()  # now, so that the first page with a form does not have to write the session
        current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]
        return redirect(login["next"] or request.script_root + self._after_login)

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

    def _find_user(self) -> User | None:
        user_id, grant = session.get("box_user"), session.get("box_grant")
        record = self.flow.find(user_id, grant) if user_id and grant else None
        if record is None:
            return None
        if time.time() - session.get("box_touched", 0) > _TOUCH:
            session["box_touched"] = time.time()
        return User(record.user_id, record.name, record.login)

    def _why_signed_out(self) -> str:
        if session.get("box_user"):
            return "signed_out"
        cookie = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"])
        return "session_unknown" if cookie and cookie != getattr(session, "sid", cookie) else "sign_in_needed"


@dataclass(frozen=True)
class _State:
    flow: Flow
    demo: bool
    data: Path
