"""What the session knows of the visitor: who is signed in, and which sign-ins are under way."""

from __future__ import annotations

import time
from typing import cast

from flask import current_app, g, request, session
from flask_wtf.csrf import generate_csrf

from ..errors import BoxAuthError, SignInFailed
from ..flow import PendingLogin
from ..stores.record import TokenRecord
from .app_state import app_state
from .user import User

_PENDING = 10  # sign-ins under way that a browser may have; the oldest make room
_TOUCH = 86400.0  # seconds after which a session in use is written again, so that it lives on


def current_record() -> TokenRecord | None:
    """Return the record of who is signed in on this request. It is loaded once, and changes with `sign_in`."""
    if "box_record" not in g:
        g.box_record = None  # should the store fail now, the page that tells of it must not ask again
        g.box_record = _find_record("elsewhere")
    return cast(TokenRecord | None, g.box_record)


def check_again(code: str) -> None:
    """After a call failed with `SignInRequired`: find out whether the visitor is signed in still.

    If Box refused a new token (``token_refused``) they are not, although there is a record.
    """
    _set_record(None)
    if code == "token_refused":
        tell_end("box")
    try:
        g.box_record = _find_record("box" if code == "token_ended" else "elsewhere")
    except BoxAuthError:  # the page tells of the failure that it was made for
        pass


def _find_record(reason: str) -> TokenRecord | None:
    """Return the record that the session names. If that sign-in has ended, tell of it, for this ``reason``."""
    user_id, grant = session.get("box_user"), session.get("box_grant")
    if not user_id or not grant or session.get("box_told") == grant:
        return None  # what was told holds, whatever the store still has
    record = app_state().flow.find(user_id, grant)
    if record is None:
        tell_end(reason)
    elif time.time() - session.get("box_touched", 0) > _TOUCH:
        session["box_touched"] = time.time()
    return record


def why_signed_out() -> str:
    """Return the code of the problem that says why nobody is signed in."""
    if session.get("box_user"):
        return "signed_out"
    cookie = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"])
    return "session_unknown" if cookie and cookie != getattr(session, "sid", cookie) else "sign_in_needed"


def remember_login(pending: PendingLogin) -> None:
    """Keep a sign-in that was begun, until Box's answer comes."""
    logins = dict(list(session.get("box_pending", {}).items())[-_PENDING + 1 :])
    session["box_pending"] = {**logins, pending.state: {"at": pending.begun_at, "next": pending.next}}


def take_login(oauth_state: str) -> PendingLogin | None:
    """Use up the sign-in with this state; None if this browser began no such sign-in."""
    logins = session.get("box_pending", {})
    login = logins.get(oauth_state)
    if login is None:
        return None
    if "used" in login:
        raise SignInFailed("state_used")
    session["box_pending"] = {**logins, oauth_state: {**login, "used": True}}
    return PendingLogin(oauth_state, login["at"], login["next"])


def sign_in(record: TokenRecord) -> None:
    """Make the session that of the record's user, under a new id. Another user's starts with nothing of the first."""
    current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]
    earlier = session.get("box_user")
    if session.get("box_grant") != record.grant:
        tell_end("elsewhere" if earlier == record.user_id else "switched")
    if earlier and earlier != record.user_id:
        session.clear()
        session.permanent = True
    for left in ("csrf_token", "box_told"):
        session.pop(left, None)
    session.update(box_user=record.user_id, box_name=record.name, box_login=record.login)
    session.update(box_grant=record.grant, box_touched=time.time())
    _set_record(record)
    generate_csrf()  # now, so that the first page with a form does not have to write the session


def tell_end(reason: str) -> None:
    """Tell, once, that the sign-in which the session names has ended."""
    grant = session.get("box_grant")
    if grant and session.get("box_told") != grant:
        session["box_told"] = grant
        user = User(session["box_user"], session.get("box_name", ""), session.get("box_login", ""))
        app_state().hooks.tell(user, reason)


def _set_record(record: TokenRecord | None) -> None:
    g.box_record = record
    g.pop("box_client", None)


def end_session() -> None:
    """Forget the session, and who was signed in."""
    session.clear()
    _set_record(None)
