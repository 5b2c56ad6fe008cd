"""Keeps a signed-in user's access token fresh: early, one refresh at a time, and none whose answer could not be saved.

The order is the point. Box's refresh tokens work once, so: lock, read again, still stale, refresh, save, release.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace

from .errors import BoxAuthError, BoxUnavailable, SignInFailed, SignInRequired, StoreUnavailable, TokensUnsaved
from .logs import own_logger
from .oauth import OAuth, TokenPair
from .stores.base import LOCK_WAIT, Held, TokenStore
from .stores.record import TokenRecord

_log = own_logger(__name__)
_PAUSE = 30.0  # seconds without a further try after a refresh failed while the old token is still good


class Refresher:
    """Gives out usable access tokens. Safe to share between threads; processes and machines meet in the store."""

    def __init__(self, store: TokenStore, oauth: OAuth, clock: Callable[[], float]) -> None:
        self._store, self._oauth, self.clock = store, oauth, clock
        self._failures: dict[str, tuple[float, BoxAuthError]] = {}  # by user: when (monotonic), and how

    def renew(self, record: TokenRecord, refused_token: str = "", *, must_be_fresh: bool = False) -> TokenRecord:
        """Return what came after ``record``, which is not fresh: the stored record, refreshed if need be.

        ``refused_token`` is the access token that Box has just answered with 401, if that is why. With
        ``must_be_fresh`` the record's own token will not do, although it lives: wait for a new one, or raise.

        Raises `SignInRequired` when the sign-in is over, `TokensUnsaved` when new tokens could not be kept; where no
        living token is left also `BoxUnavailable`, `StoreUnavailable`, and `SignInFailed` if Box refuses the app.
        """
        asked_at = time.monotonic()
        user_id = record.user_id
        spare = not must_be_fresh and record.access_token != refused_token and record.is_alive(self.clock())
        if spare and self._failed_since(user_id, asked_at - _PAUSE):
            return record
        try:
            # Whoever holds the lock is refreshing already; with a spare token there is no need to wait for that.
            with self._store.lock(user_id, wait=0 if spare else LOCK_WAIT) as held:
                failure = self._failed_since(user_id, asked_at)
                if failure:  # while we waited; Box was asked a moment ago
                    raise copy.copy(failure)
                return self._refresh(held, record.grant, refused_token, short=spare)
        except TokensUnsaved:
            raise  # loudly: the next refresh would be refused
        except (BoxUnavailable, SignInFailed, StoreUnavailable):
            if spare:
                return record
            raise

    def _refresh(self, held: Held, grant: str, refused_token: str, short: bool) -> TokenRecord:
        """With the user's lock held: read again, refresh if that is still needed, save."""
        record = self._current(held, grant)
        if _usable(record, refused_token, self.clock()):
            return record  # somebody else refreshed while we waited
        try:
            held.check_writable()  # a refresh that could not be saved would lose the sign-in
            issued_at = self.clock()
            pair = self._next(held, record, short)
        except SignInRequired as error:
            later = self._current(held, grant)
            if later.refresh_token != record.refresh_token:
                return later  # somebody refreshed without our lock
            held.delete()
            self._failures[held.user_id] = (time.monotonic(), error)
            raise
        except (BoxUnavailable, SignInFailed, StoreUnavailable) as error:
            self._failures[held.user_id] = (time.monotonic(), error)
            raise
        record = replace(
            record,
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            issued_at=issued_at,
            lifetime=pair.lifetime,
        )
        try:
            held.save(record)
        except StoreUnavailable as error:
            _log.critical("refreshed tokens of user %s could not be saved: %s", held.user_id, error.detail)
            raise TokensUnsaved("tokens_unsaved", error.detail) from None
        self._failures.pop(held.user_id, None)
        return record

    def _next(self, held: Held, record: TokenRecord, short: bool) -> TokenPair:
        """Ask Box for the next pair. A lost answer is asked for once more, because Box is reported to give the same
        pair again until it is used (box-typescript-sdk-gen #34)."""
        try:
            return self._oauth.refresh(record.refresh_token, short=short)
        except BoxUnavailable as error:
            if error.code not in ("box_slow", "box_unreachable") or held.load() != record:
                raise
        return self._oauth.refresh(record.refresh_token, short=True)  # the first try has had its time

    def _current(self, held: Held, grant: str) -> TokenRecord:
        record = held.load()
        if record is None or not record.has_grant(grant):
            ended = self._failed_since(held.user_id, time.monotonic() - _PAUSE)  # by a call beside this one
            raise copy.copy(ended) if isinstance(ended, SignInRequired) else SignInRequired("signed_out")
        return record

    def _failed_since(self, user_id: str, moment: float) -> BoxAuthError | None:
        failure = self._failures.get(user_id)
        return failure[1] if failure and failure[0] >= moment else None


def _usable(record: TokenRecord, refused_token: str, now: float) -> bool:
    return record.access_token != refused_token and record.is_fresh(now)
