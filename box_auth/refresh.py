"""Keeps a signed-in user's access token fresh: early, one refresh at a time, and never at the sign-in's expense.

The order is the point. Box's refresh tokens work once, so: lock, read again, still stale, refresh, save, release.
"""

from __future__ import annotations

import copy
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from .errors import BoxAuthError, BoxUnavailable, SignInFailed, SignInRequired, StoreUnavailable, TokensUnsaved
from .oauth import OAuth, Tokens
from .stores.base import LOCK_WAIT, TokenRecord, TokenStore

_log = logging.getLogger(__name__)
_PAUSE = 30.0  # seconds without a further try after a refresh failed while the old token is still good


class Refresher:
    """Gives out usable access tokens. Safe to share between threads; processes and machines meet in the store."""

    def __init__(self, store: TokenStore, oauth: OAuth, clock: Callable[[], float]) -> None:
        self._store, self._oauth, self._clock = store, oauth, clock
        self._failures: dict[str, tuple[float, BoxAuthError]] = {}  # by user: when (monotonic), and how

    def find(self, user_id: str, grant: str, *, locked: bool = False) -> TokenRecord | None:
        """Return the record that a session speaks of, or None if that sign-in has been ended."""
        record = self._store.load(user_id, locked=locked)
        return record if record and secrets.compare_digest(record.grant.encode(), grant.encode()) else None

    def access(self, user_id: str, grant: str, refused: str = "") -> TokenRecord:
        """Return the record with a usable access token, refreshed if need be.

        ``refused`` is the access token that Box has just answered with 401, if that is why. Raises `SignInRequired`
        when the sign-in is over, `BoxUnavailable` when Box cannot be asked and no usable token is left.
        """
        asked_at = time.monotonic()
        record = self._current(user_id, grant)
        if _usable(record, refused, self._clock()):
            return record
        spare = record.access_token != refused and record.is_alive(self._clock())
        if spare and self._failed_since(user_id, asked_at - _PAUSE):
            return record
        try:
            # Whoever holds the lock is refreshing already; with a spare token there is no need to wait for that.
            with self._store.lock(user_id, wait=0 if spare else LOCK_WAIT):
                failure = self._failed_since(user_id, asked_at)
                if failure:  # while we waited; Box was asked a moment ago
                    raise copy.copy(failure)
                return self._refresh(user_id, grant, refused, brief=spare)
        except TokensUnsaved:
            raise  # loudly: the next refresh would be refused
        except (BoxUnavailable, SignInFailed, StoreUnavailable):
            if spare:
                return record
            raise

    def _refresh(self, user_id: str, grant: str, refused: str, brief: bool) -> TokenRecord:
        """Do what the module says, with the user's lock held."""
        record = self._current(user_id, grant, locked=True)
        if _usable(record, refused, self._clock()):
            return record  # somebody else refreshed while we waited
        try:
            self._store.check_room(user_id)  # a refresh that could not be saved would lose the sign-in
            issued_at = self._clock()
            tokens = self._next(record, brief)
        except SignInRequired:
            later = self._current(user_id, grant, locked=True)
            if later.refresh_token != record.refresh_token:
                return later  # somebody refreshed without our lock
            self._store.delete(user_id)
            raise
        except (BoxUnavailable, SignInFailed, StoreUnavailable) as error:
            self._failures[user_id] = (time.monotonic(), error)
            raise
        record = replace(
            record,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            issued_at=issued_at,
            lifetime=tokens.lifetime,
        )
        try:
            self._store.save(record)
        except StoreUnavailable as error:
            _log.critical("refreshed tokens of user %s could not be saved: %s", user_id, error.detail)
            raise TokensUnsaved("tokens_unsaved", error.detail) from None
        self._failures.pop(user_id, None)
        return record

    def _next(self, record: TokenRecord, brief: bool) -> Tokens:
        """Ask Box for the next pair. A lost answer is asked for once more, because Box is reported to give the same
        pair again until it is used (box-typescript-sdk-gen #34)."""
        try:
            return self._oauth.refresh(record.refresh_token, brief=brief)
        except BoxUnavailable as error:
            if (
                error.code not in ("box_slow", "box_unreachable")
                or self._store.load(record.user_id, locked=True) != record
            ):
                raise
        return self._oauth.refresh(record.refresh_token, brief=True)  # the first try has had its time

    def _current(self, user_id: str, grant: str, *, locked: bool = False) -> TokenRecord:
        record = self.find(user_id, grant, locked=locked)
        if record is None:
            raise SignInRequired("signed_out")
        return record

    def _failed_since(self, user_id: str, moment: float) -> BoxAuthError | None:
        failure = self._failures.get(user_id)
        return failure[1] if failure and failure[0] >= moment else None


def _usable(record: TokenRecord, refused: str, now: float) -> bool:
    return record.access_token != refused and record.is_fresh(now)
