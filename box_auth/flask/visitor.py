"""What the session knows of the visitor: who is signed in, and which sign-ins are under way."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import current_app, request, session
from flask_wtf.csrf import generate_csrf

from ..errors import SignInFailed
from ..flow import Flow, PendingLogin
from ..stores.base import TokenRecord

_PENDING = 10  # sign-ins under way that a browser may have; the oldest make room
_TOUCH = 86400.0  # seconds after which a session in use is written again, so that it lives on


@dataclass(frozen=True)
class User:
    """Who is signed in: Box's user id, and name and login as they were at sign-in."""

    id: str
    name: str
    login: str


def find_user(flow: Flow) -> User | None:
    """Return whom the session names, if that sign-in has not been ended."""
    user_id, grant = session.get("box_user"), session.get("box_grant")
    record = flow.find(user_id, grant) if user_id and grant else None
    if record is None:
        return None
    if time.time() - session.get("box_touched", 0) > _TOUCH:
        session["box_touched"] = time.time()
    return User(record.user_id, record.name, record.login)


def why_signed_out() -> str:
    """Return the code of the problem for a visitor of whom `find_user` knows nobody."""
    if session.get("box_user"):
        return "signed_out"
    cookie = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"])
    return "session_unknown" if cookie and cookie != getattr(session, "sid", cookie) else "sign_in_needed"


def remember_login(pending: PendingLogin) -> None:
    """Keep a sign-in that was begun, until Box's answer comes."""
    logins = dict(list(session.get("box_logins", {}).items())[-_PENDING + 1 :])
    session["box_logins"] = {**logins, pending.state: {"at": pending.begun_at, "next": pending.next}}


def take_login(state: str) -> PendingLogin | None:
    """Use up the sign-in that belongs to ``state``; None if this browser began none such."""
    logins = session.get("box_logins", {})
    login = logins.get(state)
    if login is None:
        return None
    if "used" in login:
        raise SignInFailed("state_used")
    session["box_logins"] = {**logins, state: {**login, "used": True}}
    return PendingLogin(state, login["at"], login["next"])


def sign_in(record: TokenRecord) -> None:
    """Make the session that of the record's user, under a new id."""
    session.pop("csrf_token", None)
    session.update(box_user=record.user_id, box_grant=record.grant, box_touched=time.time())
    generate_csrf()  # now, so that the first page with a form does not have to write the session
    current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]
