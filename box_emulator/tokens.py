"""Tokens: how they are issued, what each is good for, how long they live, and when they die."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass, field

from .clock import Clock
from .database import Database
from .errors import OAuthError

ACCESS_LIFETIME = 3600
REFRESH_LIFETIME = 60 * 86400
_FORGET_AFTER = 30 * 86400  # seconds after which an expired pair becomes an unknown one


@dataclass(frozen=True)
class Grant:
    """What an access token stands for: an app that acts for a user.

    ``scope`` is a list of words with spaces between, None for all that the app may do. ``resource`` is the id of the
    one item, with all below it, that the token is for; None is for any.
    """

    client_id: str
    user: str
    scope: str | None = None
    resource: str | None = None


@dataclass(frozen=True)
class TokenPair:
    """An access token, the refresh token that came with it, and the access token's life in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class Tokens:
    """All tokens. ``refreshes`` counts what was ``accepted`` and ``refused`` in this process.

    After a refresh the old access token lives on until it expires or the new one is first used, whichever comes
    first (reported by Box engineers: box-node-sdk #157).
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.refreshes = {"accepted": 0, "refused": 0}

    def issue(self, grant: Grant, lifetime: int = ACCESS_LIFETIME, after: sqlite3.Row | None = None) -> TokenPair:
        """Make a new pair: the first of a family, or the one ``after`` another."""
        pair = TokenPair(secrets.token_urlsafe(24), secrets.token_urlsafe(48), lifetime)
        self._put(grant, pair.access_token, lifetime, pair.refresh_token, REFRESH_LIFETIME, after)
        return pair

    def issue_access(self, grant: Grant, lifetime: int) -> str:
        """Make an access token that cannot be refreshed."""
        token = secrets.token_urlsafe(24)
        self._put(grant, token, lifetime, None, lifetime)
        return token

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

    def authenticate(self, access_token: str) -> Grant | None:
        """Return what the token stands for, if it is good; its first use ends older ones."""
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
        return _grant(row)

    def time_left(self, access_token: str) -> float:
        """Return the seconds until the token expires."""
        row = self._database.row("SELECT access_expires_at FROM pairs WHERE access_token = ?", access_token)
        return row["access_expires_at"] - self._clock.now() if row else 0.0

    def issuer(self, access_token: str) -> str | None:
        """Return the client id of the app that got the token, be it good or not."""
        row = self._database.row("SELECT client_id FROM pairs WHERE access_token = ?", access_token)
        return row["client_id"] if row else None

    def latest(self, limit: int) -> list[sqlite3.Row]:
        """Return what there is to show of the newest tokens: never a whole one."""
        return self._database.rows(
            "SELECT substr(access_token, 1, 4) AS beginning, client_id, user, scope, resource, access_expires_at,"
            " refresh_token IS NOT NULL AND refreshed_at IS NULL AND refresh_expires_at > ? AS refreshable, revoked_at"
            " FROM pairs ORDER BY id DESC LIMIT ?",
            self._clock.now(),
            limit,
        )

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

    def _put(
        self,
        grant: Grant,
        access: str,
        lifetime: float,
        refresh: str | None,
        refresh_lifetime: float,
        after: sqlite3.Row | None = None,
    ) -> None:
        now = self._clock.now()
        parts = (grant.client_id, grant.user, grant.scope, grant.resource)
        place = (after and after["family"], after and after["id"])
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM pairs WHERE refresh_expires_at < ?", (now - _FORGET_AFTER,))
            cursor = transaction.execute(
                "INSERT INTO pairs (family, parent, client_id, user, scope, resource, access_token, access_expires_at,"
                " refresh_token, refresh_expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*place, *parts, access, now + lifetime, refresh, now + refresh_lifetime),
            )
            transaction.execute("UPDATE pairs SET family = id WHERE id = ? AND family IS NULL", (cursor.lastrowid,))

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
        return self.issue(_grant(row), lifetime, after=row)

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


def _grant(row: sqlite3.Row) -> Grant:
    return Grant(row["client_id"], str(row["user"]), row["scope"], row["resource"])


def _of(user_id: str | None) -> tuple[str, ...]:
    return ("user = ?", user_id) if user_id else ("TRUE",)
