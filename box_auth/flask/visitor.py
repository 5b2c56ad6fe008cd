"""What the browser's cookies know of the visitor: who is signed in, and which sign-ins are under way."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Response, current_app, g, request, session
from flask_wtf.csrf import generate_csrf

from .. import signals
from ..errors import BoxAuthError
from ..pending import LOGIN_SECONDS, PendingLogin, login_cookie, pending_login
from ..stores.record import TokenRecord
from .app_state import app_state
from .user import User

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
    if code == "token_refused" and tell_end("box"):
        signals.tell(signals.sign_in_lost, user_id=session["box_user"], code=code)
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


def is_sound(values: Mapping[Any, Any]) -> bool:
    """Tell whether what a stored session says of the visitor has the form that it was given here."""
    texts = [values.get(name, "") for name in ("box_user", "box_grant", "box_name", "box_login", "box_told")]
    csrf_token, touched = values.get("csrf_token", ""), values.get("box_touched", 0)
    if not all(isinstance(text, str) for text in (*texts, csrf_token)) or not isinstance(touched, int | float):
        return False
    in_ascii = all(text.isascii() for text in (values.get("box_grant", ""), csrf_token))
    if ("box_user" in values) != ("box_grant" in values):
        return False
    return in_ascii and re.fullmatch("[0-9]{0,32}", texts[0]) is not None and 0 <= touched < 1e12


def why_signed_out() -> str:
    """Return the code of the problem that says why nobody is signed in."""
    if session.get("box_user"):
        return "signed_out"
    cookie = request.cookies.get(current_app.config["SESSION_COOKIE_NAME"])
    return "session_unknown" if cookie and cookie != getattr(session, "sid", cookie) else "sign_in_needed"


def remember_login(response: Response, pending: PendingLogin, redirect_uri: str) -> None:
    """Have the browser keep a sign-in that was begun, until Box's answer comes to ``redirect_uri``.

    Nothing is kept on the server, so that nobody fills it by asking for /login.
    """
    name, value = login_cookie(pending, _keys())
    secure = current_app.session_interface.get_cookie_secure(current_app)
    path = urlsplit(redirect_uri).path
    response.set_cookie(
        name, value, max_age=int(LOGIN_SECONDS), path=path, secure=secure, httponly=True, samesite="Lax"
    )


def begun_login(oauth_state: str) -> PendingLogin | None:
    """Return the sign-in with this state, or None if this browser began no such sign-in. It keeps the cookie, so that
    an answer that comes twice is told that."""
    return pending_login(oauth_state, request.cookies, _keys())


def _keys() -> list[str | bytes]:
    """The key that signs comes last."""
    return [*(current_app.config.get("SECRET_KEY_FALLBACKS") or ()), cast(str | bytes, current_app.secret_key)]


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


def tell_end(reason: str) -> bool:
    """Tell, once, that the sign-in which the session names has ended. Returns whether this was that once."""
    grant = session.get("box_grant")
    if not grant or session.get("box_told") == grant:
        return False
    session["box_told"] = grant
    user = User(session["box_user"], session.get("box_name", ""), session.get("box_login", ""))
    app_state().hooks.tell(user, reason)
    if reason == "switched":
        signals.tell(signals.signed_out, user_id=user.id, reason=reason)
    return True


def _set_record(record: TokenRecord | None) -> None:
    g.box_record = record
    g.pop("box_client", None)


def end_session() -> None:
    """Forget the session, and who was signed in."""
    session.clear()
    _set_record(None)
