"""The page that walks through the Box developer console; only the demo has it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import render_template, request
from flask.typing import ResponseReturnValue
from jinja2 import TemplateNotFound

from .. import config
from ..addresses import LOOPBACK, loopback_redirect_uri
from ..errors import ConfigError
from ..plain_page import plain_page
from .app_state import app_state


@dataclass(frozen=True)
class Progress:
    """What is right already, and what is left. Of secrets it knows only whether they are there."""

    env_file: bool
    client_id: bool
    client_secret: bool
    problems: tuple[str, ...]

    @property
    def finished(self) -> bool:
        return self.client_id and self.client_secret and not self.problems


def show() -> ResponseReturnValue:
    """Make the page. It has no form: the two values go from the console into `.env`, never through the browser."""
    settings = app_state().flow.settings
    local = urlsplit(f"//{request.host}").hostname in LOOPBACK  # else seen through a proxy, or on a server
    own_uri = loopback_redirect_uri(settings.callback_hostname, settings.callback_port)
    redirect_uri, lines = _values(own_uri, local)
    values = {"redirect_uri": redirect_uri, "lines": lines, "local": local, "progress": _progress()}
    try:
        return render_template("setup.html", **values)
    except TemplateNotFound:
        steps = ["Save this redirect URI in the Box developer console:", redirect_uri, "Then fill in .env:"]
        own = ["CLIENT_ID = YOUR_CLIENT_ID", "CLIENT_SECRET = YOUR_CLIENT_SECRET"]
        asked = "A command asks for the first two, and writes them: .venv/bin/flask box setup"
        return plain_page("Connect your own Box app", *steps, *own, *lines, asked)


def _values(own_uri: str, local: bool) -> tuple[str, list[str]]:
    """Return the redirect URI for the console, and the lines that `.env` needs beside the id and the secret."""
    if not local:
        public = f"https://{request.host}{request.script_root}/callback"
        return public, [f"REDIRECT_URI = {public}", "TRUSTED_PROXIES = 1"]
    parts = urlsplit(own_uri)
    return own_uri, [f"CALLBACK_HOSTNAME = {parts.hostname}", f"CALLBACK_PORT = {parts.port}"]


def _progress() -> Progress:
    values: dict[str, str] = {}
    problems: tuple[str, ...] = ()
    try:
        values = config.read()  # as they are now, not as they were when the app started
        missing = [name for name in ("CLIENT_ID", "CLIENT_SECRET") if not config.is_set(values, name)]
        config.parse({**values, **dict.fromkeys(missing, "-")}, config.ROOT)
    except ConfigError as error:
        problems = error.mistakes
    has_id, has_secret = (config.is_set(values, name) for name in ("CLIENT_ID", "CLIENT_SECRET"))
    return Progress((config.ROOT / ".env").is_file(), has_id, has_secret, problems)
