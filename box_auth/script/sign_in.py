"""Sign in from a script: the browser asks the person, one local callback brings the answer, and it is remembered."""

from __future__ import annotations

import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from box_sdk_gen import BoxClient
from box_sdk_gen.schemas import UserFull

from .. import config
from .. import demo as stand_in
from ..addresses import ANY_ADDRESS, LOOPBACK, loopback_redirect_uri
from ..errors import SignInRequired
from ..flow import Flow, open_flow
from ..stores.record import TokenRecord
from .answer import Answer, format_duration
from .listener import Listener
from .saved_user import SavedUser
from .terminal import say

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

WAIT = 300.0  # seconds for the person to answer; after ten minutes the state would be too old anyway


@dataclass(frozen=True)
class Connection:
    """Who is signed in, and an SDK client that acts for them with a token that is kept fresh."""

    user: UserFull
    client: BoxClient


def connect(*, demo: stand_in.Demo | None = None, wait: float = WAIT, folder: Path = config.ROOT) -> Connection:
    """Return the connection of whoever signed in by script before; if nobody did, or it has ended, ask first.

    ``demo`` is called instead of Box when no CLIENT_ID and no CLIENT_SECRET are set, as in `box_auth.flask`.
    ``wait`` is in seconds. Raises children of `BoxAuthError`.
    """
    app = _NoApp()
    begin = stand_in.on_own_port(demo, app)
    settings, data, is_demo = stand_in.choose(config.read(folder), begin, project=folder)
    flow = open_flow(settings)
    stand_in.say_start(is_demo, "", data)
    pages = app.wsgi_app if is_demo else None
    saved = SavedUser(flow, data)
    try:
        return _connection(flow, saved.record())
    except SignInRequired:
        return _connection(flow, sign_in(saved, wait=wait, pages=pages))


def sign_in(saved: SavedUser, *, wait: float = WAIT, pages: WSGIApplication | None = None) -> TokenRecord:
    """Ask the person to sign in, and remember who did. ``pages`` are a stand-in's, to be served beside the callback.

    Box's answer comes to the local port, or is pasted, whichever is first. Raises `SignInFailed`, also when nobody
    answers within ``wait`` seconds, and `StoreUnavailable` before anybody is asked.
    """
    saved.check_writable()
    flow = saved.flow
    listener, redirect_uri = _listen(flow.settings, pages)
    with listener:
        address, pending = flow.start(redirect_uri=redirect_uri)
        answer = Answer(flow, pending)
        listener.serve(answer.take)
        if address.startswith("/"):  # a stand-in's page
            address = redirect_uri.removesuffix(listener.path) + address
        say(
            "Sign in with Box in the browser that opens now. If none does, open this address yourself:\n\n"
            f"  {address}\n\n"
            "Is that browser on another machine? Then its last page does not load: paste that page's address here.\n"
            f"Waiting {format_duration(wait)}; Ctrl-C stops."
        )
        threading.Thread(target=_open_and_read, args=(address, answer), daemon=True).start()
        record = answer.wait(wait)
    saved.remember(record)
    return record


def _open_and_read(address: str, answer: Answer) -> None:
    try:
        webbrowser.open(address)
    except (webbrowser.Error, OSError):  # there is none; the address is on the screen
        pass
    answer.read_pasted()


class _NoApp:
    """As much of a Flask app as a demo asks for: a place to put its pages."""

    def __init__(self) -> None:
        self.extensions: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.wsgi_app: WSGIApplication = _nothing_here


def _nothing_here(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"There is nothing here."]


def _connection(flow: Flow, record: TokenRecord) -> Connection:
    client = flow.client(record)
    return Connection(client.users.get_user_me(), client)


def _listen(settings: config.Settings, pages: WSGIApplication | None) -> tuple[Listener, str]:
    """Take the preferred port, or any free one, and return what listens there with the redirect URI to name.

    Box takes any port on loopback, if the rest matches (guides, OAuth 2.0 setup).
    """
    parts = urlsplit(settings.redirect_uri)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    host = settings.callback_hostname if settings.callback_hostname in LOOPBACK + ANY_ADDRESS else "127.0.0.1"
    named, path = (str(parts.hostname), parts.path) if local else (host, "/callback")
    preferred = loopback_redirect_uri(named, settings.callback_port).removesuffix("/callback") + path
    if not (local or pages):
        say(f"REDIRECT_URI leads elsewhere, so the Box console must hold this one for scripts, too:\n  {preferred}")
    try:
        return Listener(host, settings.callback_port, path, pages), preferred
    except OSError as error:
        listener = Listener(host, 0, path, pages)
        if not pages:
            why = "may not be used" if isinstance(error, PermissionError) else "is taken"
            say(
                f"Port {settings.callback_port} {why}, so Box's answer comes to port {listener.port} this time. "
                f"Box accepts that if its console holds\n  {preferred}"
            )
        return listener, loopback_redirect_uri(named, listener.port).removesuffix("/callback") + path
