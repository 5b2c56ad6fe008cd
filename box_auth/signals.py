"""What happens, told to whoever asks: counters, alerts, an audit trail. They are blinker's signals, as Flask's are.

    @signals.signed_in.connect
    def greet(sender, *, user_id, **more): ...

Receivers get keywords alone (``sender`` is None), at the moment it happens and in the thread that does it, a refresh's
for instance, so they must be quick. What one raises is logged and breaks nothing. Blinker keeps receivers weakly:
connect functions of a module, not lambdas. New keywords may come, so take ``**more``. All of them get ``request_id``,
that of the visitor's request, empty where there is none. Nothing in them is a secret.
"""

from __future__ import annotations

from blinker import NamedSignal, Namespace

from . import request_id
from .logs import own_logger

_log = own_logger(__name__)
_box = Namespace()

signed_in = _box.signal("signed-in", "Somebody signed in, by whatever door: ``user_id``.")
signed_out = _box.signal(
    "signed-out",
    "A sign-in was ended on purpose: ``user_id``, ``reason``, which is ``asked`` (its record and all its sessions are "
    "gone) or ``switched`` (somebody else signed in with that browser).",
)
sign_in_refused = _box.signal(
    "sign-in-refused",
    "A sign-in came back from Box and was not finished: ``user_id``, empty while nobody knows whose it is, and "
    "``code``, which docs/troubleshooting.md explains.",
)
token_refreshed = _box.signal("token-refreshed", "Box gave new tokens, and they are stored: ``user_id``.")
sign_in_lost = _box.signal(
    "sign-in-lost",
    "A sign-in ended although nobody asked for that: ``user_id``, ``code``: ``token_ended`` (Box ended it), "
    "``token_refused`` (Box refuses a new token: the Flask app ends the session then, and it alone tells of that), "
    "``record_unreadable`` (what was stored cannot be read).",
)
box_called = _box.signal(
    "box-called",
    "Box was called once, a repeat being another call: ``method``; ``path``, in which ``{id}`` stands for all that is "
    "no plain word; ``status``, None without an answer; ``seconds`` until the answer was read, or contents began; "
    "``box_request_id``, Box's own id for support cases, or empty.",
)


def tell(signal: NamedSignal, **data: object) -> None:
    """Tell the signal's receivers, each of them, whatever another one raises."""
    if not signal.receivers or signal.is_muted:
        return
    for receiver in signal.receivers_for(None):
        try:
            receiver(None, request_id=request_id.current(), **data)
        except Exception:
            _log.exception("a receiver of the signal %s failed", signal.name)
