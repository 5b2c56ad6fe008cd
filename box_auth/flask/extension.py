"""The extension: what an app hands over once, and what its pages ask: who is signed in, and a client for them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, cast
from urllib.parse import quote

from box_sdk_gen import BoxAPIError, BoxClient
from flask import Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect

from .. import config, private_files, user_client
from .. import demo as stand_in
from ..cli import group
from ..errors import BoxAuthError, SignInRequired
from ..flow import Flow, open_flow
from ..problems import Problem
from ..stores.record import TokenRecord
from . import assets, guards, health, pages, request_log, routes, run, sessions, visitor
from .app_state import AppState, app_state
from .hooks import Hooks, OnProblem, OnSignIn, OnSignOut
from .sign_in_limit import SignInLimit
from .user import User

View = ParamSpec("View")


class BoxAuth:
    """Signs visitors of a Flask app in with Box.

    One object serves the app and all its blueprints, and any number of apps: what belongs to an app is kept with the
    app. `box_auth.flask.box` is such an object, ready to be imported anywhere. Its hooks serve all these apps: register
    them where a module is imported, not in a factory. See `init_app` for the arguments.
    """

    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        self._hooks = Hooks()
        if app is not None:
            self.init_app(app, **options)

    def init_app(self, app: Flask, *, demo: stand_in.Demo | None = None, after_login: str = "/") -> None:
        """Read the settings and prepare ``app``. Wrong settings do not stop it: the terminal then says what to fix, and
        with Flask's debug mode every page does, too.

        ``demo`` is called instead of Box when nothing is set that speaks for a live app: it gets the app and a
        folder, and returns the settings of a stand-in. As "module:name" it is imported only then. Visitors go to
        ``after_login``, an endpoint or a path, when a sign-in names no page of its own.
        """
        app.extensions["box_auth"] = AppState(self._hooks, after_login)
        pages.install(app)
        assets.install(app)
        app.cli.add_command(group.box)
        app.context_processor(lambda: {"box": self})
        try:
            run.forget_other_dotenv()
            values = config.read()
            if values.get("LOG_FORMAT") == "json":
                request_log.install(app)
            run.listen_as_set(*config.listening_address(values))
            if "INSTANCE_DIR" in values:  # what the app itself keeps there moves, too
                app.instance_path = str(config.instance_folder(values))
            begin = stand_in.on_own_port(demo, app)
            settings, folder, is_demo = stand_in.choose(values, begin, run.listening_port())
            private_files.close_folder(folder)
            browser_sessions = sessions.install(app, folder, settings)
            flow = open_flow(settings)
        except BoxAuthError as error:
            pages.explain_settings(app, error)
            return
        guards.believe_only_trusted(app, settings)
        app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the session
        if "csrf" not in app.extensions:
            CSRFProtect(app)
        guards.refuse_large_bodies(app)
        app.extensions["box_auth"] = AppState(self._hooks, after_login, flow, is_demo, folder)
        app.register_blueprint(routes.blueprint(is_demo, SignInLimit(app, settings)))
        health.install(app, flow, browser_sessions)
        run.announce(app)

    def on_sign_in(self, hook: OnSignIn) -> OnSignIn:
        """Decorate a function that is called with the `User` and the `TokenRecord` before anything of a sign-in is
        kept. It lets them in by returning None, and refuses by raising `SignInRefused` with words for the visitor;
        whatever else it does ends the sign-in with an error page. Nobody is signed in before it returns."""
        self._hooks.sign_in.append(hook)
        return hook

    def on_sign_out(self, hook: OnSignOut) -> OnSignOut:
        """Decorate a function that is called with the `User` and a reason when a browser's sign-in has ended:
        ``button`` (here), ``box`` (Box ended it), ``elsewhere`` (another browser, a script, by hand; noticed at the
        browser's next visit) or ``switched`` (somebody else signed in). It is told once, unless a browser's requests
        come at the same moment. What it raises is logged."""
        self._hooks.sign_out.append(hook)
        return hook

    def on_problem(self, hook: OnProblem) -> OnProblem:
        """Decorate a function that is called with the `Problem` that a page is about to show, and returns it with
        other texts, translated for instance (`dataclasses.replace`), or None to leave it."""
        self._hooks.problem.append(hook)
        return hook

    @property
    def flow(self) -> Flow:
        """The engine behind this app, for whatever the methods here do not cover."""
        return app_state().flow

    @property
    def is_set_up(self) -> bool:
        """Whether the settings are right, so that people can sign in."""
        return app_state().opened is not None

    @property
    def demo(self) -> bool:
        """Whether a stand-in plays Box."""
        return app_state().demo

    @property
    def user(self) -> User | None:
        """Who is signed in on this request, or None."""
        record = self._record()
        return User.of(record) if record else None

    @property
    def client(self) -> BoxClient:
        """An SDK client that acts for who is signed in; its calls keep the token fresh. Raises `SignInRequired`."""
        record = self._record()
        if record is None:
            raise SignInRequired(visitor.why_signed_out())
        if "box_client" not in g:
            g.box_client = self.flow.client(record)
        return cast(BoxClient, g.box_client)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Return Box's answer to ``GET path`` as plain dicts: ``box.get("/folders/0/items", fields=["name"])``.

        For lists, which take the SDK several times as long, as it makes objects of them (docs/calling-box.md). It acts
        for who is signed in, as ``box.client`` does; lists in the query are joined by commas, and None is left out."""
        return user_client.get(self.client, path, **query)

    def send(
        self, method: str, path: str, json: object = None, *, if_match: str = "", **query: object
    ) -> dict[str, Any]:
        """Call any path of Box's API: ``box.send("PUT", "/files/1", {"name": "b.txt"}, if_match=etag)``, as `get` does.

        With ``if_match``, an item's ``etag``, Box refuses (412) where somebody else has changed the item since."""
        return user_client.send(self.client, method, path, json, if_match=if_match, **query)

    def explain(self, error: BoxAPIError | BoxAuthError) -> Problem:
        """Return a failure in words for the visitor (``.happened``, ``.todo``, ``.code``), for a page that shows them
        beside a form, say. The log is told which call Box refused. Unhandled, a failure is a page of its own."""
        return pages.explain(error)

    @property
    def wants_json(self) -> bool:
        """Whether this request would rather have JSON than a page (``Accept``); errors come to it as JSON."""
        return pages.wants_json()

    @property
    def login_url(self) -> str:
        """Where to sign in and then come back to this page, if it can be come back to."""
        if request.method not in ("GET", "HEAD") or request.blueprint == "box":
            return url_for("box.login")
        query = request.query_string.decode("latin-1")
        here = request.script_root + quote(request.path) + (f"?{query}" if query else "")
        return url_for("box.login", next=here)

    def at_once(self, *calls: Callable[[], Any]) -> list[Any]:
        """Make several calls to Box side by side; return their results in order. Put the one with the longest answer
        first: it is read while the others still come."""
        if self.user is not None:
            _ = self.client  # made once, before threads ask for it
        return self.flow.network.at_once(*calls)

    def login_required(self, view: Callable[View, ResponseReturnValue]) -> Callable[View, ResponseReturnValue]:
        """Decorate a page that needs a signed-in user; other visitors are sent to sign in and come back to it."""

        @functools.wraps(view)
        def checked(*args: View.args, **kwargs: View.kwargs) -> ResponseReturnValue:
            if self.user is not None:
                return view(*args, **kwargs)
            why = visitor.why_signed_out()
            if why != "sign_in_needed" or request.method not in ("GET", "HEAD") or pages.wants_json():
                raise SignInRequired(why)
            return redirect(self.login_url)

        return checked

    def _record(self) -> TokenRecord | None:
        return visitor.current_record() if self.is_set_up else None

    def run(self, app: Flask) -> None:
        """Serve ``app`` as `flask run` does, for `python app.py`."""
        run.serve(app)
