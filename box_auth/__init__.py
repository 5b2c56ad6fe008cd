"""Sign-in with Box for Python: who is signed in is kept, and their tokens are kept fresh.

A Flask app begins with `box_auth.flask`, a script with `box_auth.script`, anything else with `open_flow`.
"""

from .config import Settings
from .errors import (
    BoxAuthError,
    BoxUnavailable,
    ConfigError,
    SignInBusy,
    SignInFailed,
    SignInRefused,
    SignInRequired,
    StoreUnavailable,
    TokensUnsaved,
    refusal,
)
from .flow import Flow, open_flow
from .logs import hide_login_codes
from .pending import PendingLogin, login_cookie, pending_login
from .stores.record import TokenRecord

__all__ = [
    "BoxAuthError",
    "BoxUnavailable",
    "ConfigError",
    "Flow",
    "PendingLogin",
    "Settings",
    "SignInBusy",
    "SignInFailed",
    "SignInRefused",
    "SignInRequired",
    "StoreUnavailable",
    "TokenRecord",
    "TokensUnsaved",
    "hide_login_codes",
    "login_cookie",
    "open_flow",
    "pending_login",
    "refusal",
]
