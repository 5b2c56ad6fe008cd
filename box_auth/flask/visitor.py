"""What the session knows of the visitor: who is signed in, and which sign-ins are under way."""

from __future__ import annotations

import time
from typing import cast

from flask import current_app, g, request, session
from flask_wtf.csrf import generate_csrf

from ..errors import SignInFailed
from ..flow import PendingLogin
from ..stores.record import TokenRecord
from .state import state
from .user import User

_PENDING = 10  # sign-ins under way that a browser may have; the oldest make room
_TOUCH = 86400.0  # seconds after which a session in use is written again, so that it lives on


def current_record() -> TokenRecord | None:
    """Return the record of who is signed in on this request. It is loaded once, and changes with `sign_in`."""
    if "box_record" not in g:
        g.box_record = None  # should the store fail now, the page that tells of it must not ask again
        g.box_record = _find_record()
    return cast(TokenRecord | None, g.box_record)


def _find_record() -> TokenRecord | None:
    user_id, grant = session.get("box_user"), session.get("box_grant")
    ended = session.get("box_told") == grant  # it was told, so it holds, whatever the store still has
    record = state().engine.find(user_id, grant) if user_id and grant and not ended else None
    if record is None:
        if user_id and state().hooks.sign_out and not ended:
            session["box_told"] = grant
            state().hooks.tell(_session_user(), "elsewhere")
        return None
    if time.time() - session.get("box_touched", 0) > _TOUCH:
        session["box_touched"] = time.time()
    return record


def why_signed_out() -> str:
    """Return the code of the problem for a visitor of whom `current_record` knows nobody."""
    if session.get("box_user"):
        return "signed_out"
    cookie = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"])
    return "session_unknown" if cookie and cookie != getattr(session, "sid", cookie) else "sign_in_needed"


def remember_login(pending: PendingLogin) -> None:
    """Keep a sign-in that was begun, until Box's answer comes."""
    logins = dict(list(session.get("box_logins", {}).items())[-_PENDING + 1 :])
    session["box_logins"] = {**logins, pending.state: {"at": pending.begun_at, "next": pending.next}}


def take_login(name: str) -> PendingLogin | None:
    """Use up the sign-in that belongs to the state ``name``; None if this browser began none such."""
    logins = session.get("box_logins", {})
    login = logins.get(name)
    if login is None:
        return None
    if "used" in login:
        raise SignInFailed("state_used")
    session["box_logins"] = {**logins, name: {**login, "used": True}}
    return PendingLogin(name, login["at"], login["next"])


def sign_in(record: TokenRecord) -> None:
    """Make the session that of the record's user, under a new id."""
    earlier = session.get("box_user")
    if earlier and earlier != record.user_id and session.get("box_told") != session.get("box_grant"):
        state().hooks.tell(_session_user(), "switched")
    _set_record(record)
    session.pop("csrf_token", None)
    session.pop("box_told", None)
    session.update(box_user=record.user_id, box_name=record.name, box_login=record.login)
    session.update(box_grant=record.grant, box_touched=time.time())
    generate_csrf()  # now, so that the first page with a form does not have to write the session
    current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]


def sign_out(reason: str) -> None:
    """Have nobody signed in for the rest of this request, and tell of it, once a sign-in."""
    if session.get("box_user") and session.get("box_told") != session.get("box_grant"):
        session["box_told"] = session.get("box_grant")
        state().hooks.tell(_session_user(), reason)
    _set_record(None)


def _set_record(record: TokenRecord | None) -> None:
    g.box_record = record
    g.pop("box_client", None)


def _session_user() -> User:
    return User(session.get("box_user", ""), session.get("box_name", ""), session.get("box_login", ""))
