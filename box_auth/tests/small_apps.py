"""Apps of ten lines in the test's own process, as forks write them, and browsers that visit them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from flask import Flask
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from box_auth import config
from box_auth.flask import BoxAuth

from .journey import Form
from .walker import call

SITE = "http://localhost:80"  # where Flask's test client is


class SmallApps:
    """Makes apps. They take their settings from the environment, as `set` left it, and keep what they keep below
    ``folder``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._environment = monkeypatch
        self._made: list[Flask] = []
        self.settings = settings
        self.set(**settings)

    def set(self, **settings: str) -> None:
        """Have the apps that are made from now on find these settings, and no others."""
        unset = dict.fromkeys(config.NAMES, "")  # also what stands in a .env
        for name, value in (unset | {"INSTANCE_DIR": str(self.folder / "instance")} | settings).items():
            self._environment.setenv(name, value)

    def __call__(self, box: BoxAuth | None = None, *, templates: dict[str, str] | None = None, **options) -> Flask:
        """Make an app with ``options`` for `BoxAuth.init_app`. Without ``templates`` it has none at all."""
        box = box or BoxAuth()
        app = self.bare(templates)
        box.init_app(app, **options)
        self.add_pages(app, box)
        return app

    def bare(self, templates: dict[str, str] | None = None) -> Flask:
        """Make an app that knows nothing of Box. What it keeps open is closed after the test."""
        folder = self.folder / f"app-{len(self._made)}"
        (folder / "static").mkdir(parents=True)
        (folder / "static" / "style.css").write_text("p { margin: 0 }")
        (folder / "templates").mkdir()
        for name, text in (templates or {}).items():
            (folder / "templates" / name).write_text(text)
        app = Flask(f"small{len(self._made)}", root_path=str(folder))
        self._made.append(app)
        return app

    @staticmethod
    def add_pages(app: Flask, box: BoxAuth) -> None:
        app.add_url_rule("/", "home", lambda: box.user.login if box.user else "nobody")
        app.add_url_rule("/token", "token", generate_csrf)
        app.add_url_rule("/me", "me", box.login_required(lambda: box.client.users.get_user_me().login))
        app.add_url_rule("/form", "form", box.login_required(lambda: "sent"), methods=["POST"])

    def close(self) -> None:
        for app in self._made:
            state = app.extensions.get("box_auth")
            if state and state.opened:
                state.opened.network.close()
            if server := app.extensions.get("box_emulator"):
                server.stop()
                server.emulator.close()


class Browser:
    """Somebody who visits an app of this process, and Box as the app says, over a real socket."""

    def __init__(self, app: Flask, site: str = SITE) -> None:
        self.app, self._site = app, site
        self.client = app.test_client()

    def get(self, path: str, **options) -> TestResponse:
        return self.client.get(path, base_url=self._site, **options)

    def post(self, path: str, **options) -> TestResponse:
        return self.client.post(path, base_url=self._site, **options)

    def answer(self, login: str = "", button: str = "grant", start: str = "/login") -> str:
        """Go as far as Box's answer, and return the path and query to which it sends the browser."""
        address = self.get(start).headers["Location"]
        choices = Form(self._at_box("GET", address)[0]).choices
        name, user = next(choice for label, choice in choices.items() if login in label)
        back = self._at_box("POST", address, urlencode({name: user, "decision": button}))[1]
        parts = urlsplit(urljoin(self._site, back))
        return f"{parts.path}?{parts.query}"

    def sign_in(self, login: str = "", start: str = "/login") -> TestResponse:
        """Sign in as the user with this login, or as the one who is chosen already; return what the app answers."""
        return self.get(self.answer(login, start=start))

    def sign_out(self) -> TestResponse:
        return self.post("/logout", data={"csrf_token": self.get("/token").text})

    def _at_box(self, method: str, address: str, form: str = "") -> tuple[str, str]:
        """Return text and Location of an answer of Box's, or of the stand-in that plays it at the app's own port."""
        if urlsplit(address).netloc:
            return call(method, address, form or None)[1:]
        kind = "application/x-www-form-urlencoded"
        answer = self.client.open(address, method=method, data=form, content_type=kind, base_url=self._site)
        return answer.text, answer.headers.get("Location", "")


def code_of(page: TestResponse) -> str:
    """The short code on a page that tells of a problem."""
    found = re.search(r"<code>([a-z_]+)</code>", page.text)
    return found[1] if found else f"no problem page ({page.status_code})"
