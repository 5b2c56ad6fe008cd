"""Login codes and token pairs: how they are issued, how long they live, and when they die."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass, field

from .clock import Clock
from .database import Database
from .errors import OAuthError

CODE_LIFETIME = 30  # Box: guides, expiration
ACCESS_LIFETIME = 3600
REFRESH_LIFETIME = 60 * 86400
_FORGET_AFTER = 30 * 86400  # seconds after which an expired pair becomes an unknown one


@dataclass(frozen=True)
class TokenPair:
    """An access token, the refresh token that came with it, and the access token's life in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class Tokens:
    """All codes and pairs. ``refreshes`` counts what was ``accepted`` and ``refused`` in this process.

    After a refresh the old access token lives on until it expires or the new one is first used, whichever comes
    first (reported by Box engineers: box-node-sdk #157).
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.refreshes = {"accepted": 0, "refused": 0}

    def issue_code(self, client_id: str, user_id: str) -> str:
        """Return a login code. Box: it lives 30 seconds and works once (guides, expiration)."""
        code, now = secrets.token_urlsafe(24), self._clock.now()
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM codes WHERE expires_at < ?", (now - _FORGET_AFTER,))
            values = (code, client_id, user_id, now + CODE_LIFETIME)
            transaction.execute("INSERT INTO codes VALUES (?, ?, ?, ?)", values)
        return code

    def redeem(self, client_id: str, code: str, lifetime: int = ACCESS_LIFETIME) -> TokenPair:
        """Turn a code into a pair, once, or raise `OAuthError` in Box's words (boxfs2 #12; box-java-sdk #172)."""
        with self._database.transaction() as transaction:
            query = "SELECT * FROM codes WHERE code = ? AND client_id = ?"
            row = transaction.execute(query, (code, client_id)).fetchone()
            if row is None:
                raise OAuthError("invalid_grant", "Auth code doesn't exist or is invalid for the client")
            if row["expires_at"] <= self._clock.now():
                raise OAuthError("invalid_grant", "The authorization code has expired")
            transaction.execute("DELETE FROM codes WHERE code = ?", (code,))
            return self.issue(client_id, row["user"], lifetime)

    def refresh(self, client_id: str, token: str, lifetime: int = ACCESS_LIFETIME, lenient: bool = False) -> TokenPair:
        """Turn a refresh token into a new pair, or raise `OAuthError` in Box's words.

        Strict, as documented: once (guides, expiration). Lenient, as reported: using the same token again gives the
        same new pair until its access token is first used (box-typescript-sdk-gen #34; box-java-sdk #164).
        """
        with self._database.transaction():
            try:
                pair = self._refresh(client_id, token, lifetime, lenient)
            except OAuthError:
                self.refreshes["refused"] += 1
                raise
            self.refreshes["accepted"] += 1
            return pair

    def authenticate(self, access_token: str) -> str | None:
        """Return the id of the user that the token stands for, if it is good; its first use ends older ones."""
        query = "SELECT * FROM pairs WHERE access_token = ? AND revoked_at IS NULL"
        row, now = self._database.row(query, access_token), self._clock.now()
        if row is None or row["access_expires_at"] <= now:
            return None
        if row["first_used_at"] is None:
            with self._database.transaction() as transaction:
                transaction.execute("UPDATE pairs SET first_used_at = ? WHERE id = ?", (now, row["id"]))
                transaction.execute(
                    "UPDATE pairs SET access_expires_at = MIN(access_expires_at, ?) WHERE family = ? AND id < ?",
                    (now, row["family"], row["id"]),
                )
        return str(row["user"])

    def revoke(self, client_id: str, token: str) -> None:
        """End the pair that holds this access or refresh token (box-python-sdk, PR #125)."""
        self._update("revoked_at", "client_id = ? AND ? IN (access_token, refresh_token)", client_id, token)

    def revoke_all(self, user_id: str | None = None) -> None:
        """End all pairs, or those of one user."""
        self._update("revoked_at", *_of(user_id))

    def expire_all(self, kind: str, user_id: str | None = None) -> None:
        """Let all ``access`` or ``refresh`` tokens, or those of one user, expire now."""
        if kind not in ("access", "refresh"):
            raise ValueError("Tokens to expire are either access or refresh tokens.")
        self._update(f"{kind}_expires_at", *_of(user_id))

    def issue(
        self, client_id: str, user_id: str, lifetime: int = ACCESS_LIFETIME, after: sqlite3.Row | None = None
    ) -> TokenPair:
        """Make a new pair: the first of a family, or the one ``after`` another."""
        pair, now = TokenPair(secrets.token_urlsafe(24), secrets.token_urlsafe(48), lifetime), self._clock.now()
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM pairs WHERE refresh_expires_at < ?", (now - _FORGET_AFTER,))
            cursor = transaction.execute(
                "INSERT INTO pairs (family, parent, client_id, user, access_token, access_expires_at,"
                " refresh_token, refresh_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    after and after["family"],
                    after and after["id"],
                    client_id,
                    user_id,
                    pair.access_token,
                    now + lifetime,
                    pair.refresh_token,
                    now + REFRESH_LIFETIME,
                ),
            )
            transaction.execute("UPDATE pairs SET family = id WHERE id = ? AND family IS NULL", (cursor.lastrowid,))
        return pair

    def _refresh(self, client_id: str, token: str, lifetime: int, lenient: bool) -> TokenPair:
        query = "SELECT * FROM pairs WHERE refresh_token = ? AND client_id = ? AND revoked_at IS NULL"
        row, now = self._database.row(query, token, client_id), self._clock.now()
        if row is None:
            raise OAuthError("invalid_grant", "Invalid refresh token")
        if row["refreshed_at"] is not None:
            again = self._unused_successor(row, now) if lenient else None
            if again is None:
                raise OAuthError("invalid_grant", "Invalid refresh token")
            return again
        if row["refresh_expires_at"] <= now:
            raise OAuthError("invalid_grant", "Refresh token has expired")
        self._update("refreshed_at", "id = ?", row["id"])
        return self.issue(client_id, row["user"], lifetime, after=row)

    def _unused_successor(self, row: sqlite3.Row, now: float) -> TokenPair | None:
        successor = self._database.row(
            "SELECT * FROM pairs WHERE parent = ? AND first_used_at IS NULL AND refreshed_at IS NULL"
            " AND revoked_at IS NULL AND access_expires_at > ?",
            row["id"],
            now,
        )
        if successor is None:
            return None
        left = round(successor["access_expires_at"] - now)
        return TokenPair(successor["access_token"], successor["refresh_token"], left)

    def _update(self, column: str, condition: str, *values: object) -> None:
        with self._database.transaction() as transaction:
            statement = f"UPDATE pairs SET {column} = ? WHERE {condition}"  # noqa: S608 - both are ours
            transaction.execute(statement, (self._clock.now(), *values))


def _of(user_id: str | None) -> tuple[str, ...]:
    return ("user = ?", user_id) if user_id else ("TRUE",)
