"""Login codes: what a browser brings back from the consent page, to be traded for tokens."""

from __future__ import annotations

import secrets

from .clock import Clock
from .database import Database
from .errors import OAuthError
from .tokens import Grant

LIFETIME = 30  # seconds; Box: guides, expiration
_FORGET_AFTER = 30 * 86400  # seconds after which an expired code becomes an unknown one


class Codes:
    """All login codes that were not traded yet."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def issue(self, grant: Grant) -> str:
        """Return a login code. Box: it lives 30 seconds and works once (guides, expiration)."""
        code, now = secrets.token_urlsafe(24), self._clock.now()
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM codes WHERE expires_at < ?", (now - _FORGET_AFTER,))
            values = (code, grant.client_id, grant.user, grant.scope, now + LIFETIME)
            transaction.execute("INSERT INTO codes VALUES (?, ?, ?, ?, ?)", values)
        return code

    def redeem(self, client_id: str, code: str) -> Grant:
        """Return what was granted, once, or raise `OAuthError` in Box's words (boxfs2 #12; box-java-sdk #172)."""
        with self._database.transaction() as transaction:
            query = "SELECT * FROM codes WHERE code = ? AND client_id = ?"
            row = transaction.execute(query, (code, client_id)).fetchone()
            if row is None:
                raise OAuthError("invalid_grant", "Auth code doesn't exist or is invalid for the client")
            if row["expires_at"] <= self._clock.now():
                raise OAuthError("invalid_grant", "The authorization code has expired")
            transaction.execute("DELETE FROM codes WHERE code = ?", (code,))
        return Grant(client_id, str(row["user"]), row["scope"])
