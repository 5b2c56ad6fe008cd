"""One refresh of one user's tokens, from the lock to the disk. It is not given up once it was sent.

The order is the point. Box's refresh tokens work once, so: lock, read again, still stale, refresh, save, release.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from . import signals
from .errors import BoxUnavailable, LockLost, SignInBusy, SignInRequired, StoreUnavailable
from .logs import own_logger, shown_user
from .oauth import OAuth, TokenPair
from .stores.base import Held, TokenStore
from .stores.record import TokenRecord

_log = own_logger(__name__)
_LONG_WAIT = 90.0  # seconds to wait for the lock, with no page waiting: longer than another process's refresh takes
_LAST_TRIES = 10.0  # seconds that a process that is to end goes on trying to save
_LONGEST_PAUSE = 0.5  # seconds between two tries to save

Result = TypeVar("Result")
Unsaved = Callable[[StoreUnavailable], None]


@dataclass(frozen=True)
class Renewal:
    """Refreshes the tokens of one sign-in. ``unsaved`` is told each time that new tokens could not be saved."""

    store: TokenStore
    oauth: OAuth
    clock: Callable[[], float]
    user_id: str
    grant: str
    unsaved: Unsaved

    def run(self, refused_token: str) -> TokenRecord:
        """Return the stored record, refreshed if it is not fresh or its access token is the ``refused_token``.

        Raises `SignInRequired` when the sign-in is over, `BoxUnavailable`, `StoreUnavailable`, and `SignInFailed` if
        Box refuses the app.
        """
        record, refreshed = self._refreshed(refused_token)
        if refreshed:  # told when the lock is free again: receivers may take their time
            signals.tell(signals.token_refreshed, user_id=self.user_id)
        return record

    def _refreshed(self, refused_token: str) -> tuple[TokenRecord, bool]:
        """Do what `run` says; return the record, and whether it holds tokens that this refresh got."""
        with self.store.lock(self.user_id, wait=_LONG_WAIT) as held:
            record = self._signed_in(held.load())
            if usable(record, refused_token, self.clock()):
                return record, False  # somebody else refreshed while we waited
            held.check_writable()  # a refresh that could not be saved would endanger the sign-in
            issued_at = self.clock()
            try:
                pair = self._ask(held, record)
            except SignInRequired:
                later = self._signed_in(held.load())
                if later.refresh_token != record.refresh_token:
                    return later, False  # somebody refreshed without our lock
                if record.access_token == refused_token or not record.is_alive(self.clock()):
                    held.delete()
                    signals.tell(signals.sign_in_lost, user_id=self.user_id, code="token_ended")
                raise
            newer = replace(
                record,
                access_token=pair.access_token,
                refresh_token=pair.refresh_token,
                issued_at=issued_at,
                lifetime=pair.lifetime,
            )
            try:
                self._repeat(lambda: held.save(newer))
                return newer, True
            except LockLost:
                pass
        current = self._repeat(lambda: self._save_again(record, newer))
        return current, current == newer

    def _ask(self, held: Held, record: TokenRecord) -> TokenPair:
        """Ask Box for the next pair. If the connection broke it is asked for once more, because Box is reported to
        give the same pair again until it is used (box-typescript-sdk-gen #34)."""
        try:
            return self.oauth.refresh(record.refresh_token)
        except BoxUnavailable as error:
            if error.code != "box_unreachable" or held.load() != record:
                raise
        return self.oauth.refresh(record.refresh_token)

    def _save_again(self, spent: TokenRecord, newer: TokenRecord) -> TokenRecord:
        """Save what was got under a lock that has passed to others since, unless they have changed the record."""
        with self.store.lock(self.user_id) as held:
            current = held.load()
            if current == newer:  # a try whose answer was lost
                return newer
            if current is not None and current.refresh_token == spent.refresh_token:
                held.save(newer)
                return newer
        self.oauth.revoke(newer.refresh_token)
        return self._signed_in(current)

    def _repeat(self, save: Callable[[], Result]) -> Result:
        """Have new tokens saved, however long the store is away: they exist nowhere else."""
        pause, end = 0.05, 0.0
        while True:
            try:
                return save()
            except (StoreUnavailable, SignInBusy) as error:
                if isinstance(error, LockLost):
                    raise
                _log.critical("refreshed tokens of user %s are not saved yet: %s", shown_user(self.user_id), error)
                if isinstance(error, StoreUnavailable):
                    self.unsaved(error)
                if not threading.main_thread().is_alive():  # the process is to end
                    end = end or time.monotonic() + _LAST_TRIES
                    if time.monotonic() > end:
                        raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _signed_in(self, record: TokenRecord | None) -> TokenRecord:
        if record is None or not record.has_grant(self.grant):
            raise SignInRequired("signed_out")
        return record


def usable(record: TokenRecord, refused_token: str, now: float) -> bool:
    """Tell whether the record's access token can be used: fresh, and not the one that Box has refused."""
    return record.access_token != refused_token and record.is_fresh(now)
