"""Keeps a signed-in user's access token fresh: early, one refresh at a time, and never at the sign-in's expense.

A refresh runs on a thread of its own and goes on whatever becomes of the page that began it. Pages wait for it as long
as they can afford.
"""

from __future__ import annotations

import contextvars
import copy
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong

from .errors import BoxAuthError, BoxUnavailable, SignInRequired, StoreUnavailable, TokensUnsaved
from .logs import own_logger, shown_user
from .network.retries import BUDGET
from .oauth import OAuth
from .renewal import Renewal, usable
from .stores.base import TokenStore
from .stores.record import TokenRecord

SPARE_WAIT = 0.5  # seconds that a page with a good token waits for a newer one
_PAUSE = 30.0  # seconds without a further try after a refresh failed while the old token is still good
_MOST = 64  # refreshes under way in one process

_log = own_logger(__name__)
_SignIn = tuple[str, str]  # user id and grant


class _Running(Future[TokenRecord]):
    """A refresh under way."""

    unsaved: StoreUnavailable | None = None


class Refresher:
    """Gives out usable access tokens. Safe to share between threads; processes and machines meet in the store."""

    def __init__(self, store: TokenStore, oauth: OAuth, clock: Callable[[], float]) -> None:
        self._store, self._oauth, self.clock = store, oauth, clock
        self._lock = threading.Lock()
        self._running: dict[_SignIn, _Running] = {}
        self._pid = os.getpid()
        self._failures: dict[_SignIn, tuple[float, BoxAuthError]] = {}  # when (monotonic), and how

    def renew(self, record: TokenRecord, refused_token: str = "", *, must_be_fresh: bool = False) -> TokenRecord:
        """Return what came after ``record``, which is not fresh: the stored record, refreshed if need be.

        ``refused_token`` is the access token that Box has just answered with 401, if that is why. A token that lives
        a little longer is given out when no newer one can be had, unless it ``must_be_fresh``.

        Raises `SignInRequired` when the sign-in is over; where there is no other token also `BoxUnavailable`,
        `StoreUnavailable` (`TokensUnsaved` while new tokens cannot be stored), and `SignInFailed` if Box refuses the
        app.
        """
        spare = record.access_token != refused_token and record.is_alive(self.clock()) and not must_be_fresh
        if spare and self._failed_lately((record.user_id, record.grant)):
            return record
        deadline = time.monotonic() + (SPARE_WAIT if spare else BUDGET)
        try:
            while True:
                running, begun = self._join((record.user_id, record.grant), refused_token)
                newer = _wait(running, deadline)
                # What others began may have had another reason than this call.
                if begun or usable(newer, refused_token, self.clock()):
                    return newer
        except BoxAuthError as error:
            if spare and error.code != "signed_out":
                return record
            raise

    def wait(self) -> None:
        """Wait until no refresh is under way, whatever comes of it."""
        with self._lock:
            running = list(self._running.values())
        for each in running:
            each.exception()

    def _join(self, sign_in: _SignIn, refused_token: str) -> tuple[_Running, bool]:
        """Return the refresh under way for this sign-in, and whether it was begun now."""
        with self._lock:
            if self._pid != os.getpid():  # threads do not come along into a forked process
                self._running.clear()
                self._pid = os.getpid()
            running = self._running.get(sign_in)
            if running:
                return running, False
            if len(self._running) >= _MOST:
                raise BoxUnavailable("box_slow")
            running = self._running[sign_in] = _Running()
            try:
                # No daemon: a process that is told to stop waits for it. It works for the request that began it.
                run = contextvars.copy_context().run
                arguments = (self._run, sign_in, running, refused_token)
                threading.Thread(target=run, args=arguments, name="box-refresh", daemon=False).start()
            except BaseException:
                del self._running[sign_in]
                raise
        return running, True

    def _run(self, sign_in: _SignIn, running: _Running, refused_token: str) -> None:
        def unsaved(error: StoreUnavailable) -> None:
            running.unsaved = error

        failure: BaseException | None = None
        try:
            record = Renewal(self._store, self._oauth, self.clock, *sign_in, unsaved).run(refused_token)
        except BaseException as error:
            failure = self._named(sign_in, error)
        with self._lock:
            del self._running[sign_in]
            self._remember(sign_in, failure)
        if failure is None:
            running.set_result(record)
        else:
            running.set_exception(failure)

    def _named(self, sign_in: _SignIn, error: BaseException) -> BaseException:
        """Return why the refresh failed: if the sign-in was ended by a call beside this one, what that was told."""
        if not isinstance(error, SignInRequired):
            _log.warning("the tokens of user %s could not be refreshed: %s", shown_user(sign_in[0]), error)
        elif error.code == "signed_out":
            return self._failed_lately(sign_in, SignInRequired) or error
        return error

    def _remember(self, sign_in: _SignIn, failure: BaseException | None) -> None:
        now = time.monotonic()
        for known in [known for known, (moment, _) in self._failures.items() if moment < now - _PAUSE]:
            del self._failures[known]
        if isinstance(failure, BoxAuthError):
            self._failures[sign_in] = now, failure
        else:
            self._failures.pop(sign_in, None)

    def _failed_lately(self, sign_in: _SignIn, kind: type[BoxAuthError] = BoxAuthError) -> BoxAuthError | None:
        moment, failure = self._failures.get(sign_in, (0.0, None))
        return failure if isinstance(failure, kind) and moment >= time.monotonic() - _PAUSE else None


def _wait(running: _Running, deadline: float) -> TokenRecord:
    """Return what comes of a refresh, or raise why not, as an error of the caller's own."""
    if running.unsaved is not None:  # nobody knows for how long
        deadline = min(deadline, time.monotonic() + SPARE_WAIT)
    try:
        failure = running.exception(max(0.0, deadline - time.monotonic()))
    except TookTooLong:
        failure = BoxUnavailable("box_slow")
        if running.unsaved is not None:
            failure = TokensUnsaved("tokens_unsaved", running.unsaved.detail)
    if isinstance(failure, BoxAuthError):
        raise copy.copy(failure)
    if failure is not None:
        raise failure
    return running.result()
