"""The OAuth conversation with Box: start, finish, client, forget. Plain values in and out; no web framework."""

from __future__ import annotations

import contextlib
import functools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from box_sdk_gen import BoxClient

from . import config, signals
from . import demo as stand_in
from .config import Settings
from .errors import BoxAuthError, SignInFailed, StoreUnavailable
from .logs import hash_users
from .network.pool import Network
from .oauth import OAuth
from .pending import LOGIN_SECONDS, PendingLogin, to_bytes
from .refresh import Refresher
from .stores import open_store
from .stores.base import TokenStore
from .stores.record import TokenRecord, new_grant
from .user_client import user_client

SAVE_SECONDS = 5.0  # how long a new sign-in is tried to be saved; its page waits
CLOCKS_DIFFER = 120.0  # seconds between the clocks of two machines, or by which one was set back, that harm no sign-in


class Flow:
    """Signs users in and acts for them. One for the whole process; safe to share between threads."""

    def __init__(
        self, settings: Settings, store: TokenStore, network: Network, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.store = store
        self.network = network
        self.oauth = OAuth(settings, network)
        self.refresher = Refresher(store, self.oauth, clock)
        self._clock = clock

    def start(self, *, redirect_uri: str = "", next: str = "") -> tuple[str, PendingLogin]:
        """Return Box's consent address for the browser, and what to remember until the answer comes.

        The address is built here because the SDK's own ignores base URLs (Box Verified Enterprise, a local Box).
        """
        pending = PendingLogin(secrets.token_urlsafe(24), self._clock(), next)
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": redirect_uri or self.settings.redirect_uri,
                "state": pending.state,
            }
        )
        return f"{self.settings.box_authorize_url}?{query}", pending

    def finish(
        self,
        answer: Mapping[str, str],
        pending: PendingLogin | None,
        *,
        let_in: Callable[[TokenRecord], None] | None = None,
    ) -> TokenRecord:
        """Exchange the code in Box's answer (the callback's query) for tokens, and store them.

        ``pending`` is what `start` gave for the answer's ``state``, and counts once, on whichever machine.
        ``let_in`` may refuse by raising, before anything is kept. Raises `SignInFailed`, `BoxUnavailable` or
        `StoreUnavailable`; the new tokens are ended at Box then, and nothing stored is touched, unless the store fails
        in the middle of writing: what it holds in the end, the earlier tokens or the new ones, is good.
        """
        with _told() as known:
            return self._finish(answer, pending, let_in, known)

    def _finish(
        self,
        answer: Mapping[str, str],
        pending: PendingLogin | None,
        let_in: Callable[[TokenRecord], None] | None,
        known: dict[str, str],
    ) -> TokenRecord:
        state = answer.get("state", "")
        if not state:
            raise SignInFailed("state_missing")
        if pending is None or not secrets.compare_digest(to_bytes(state), to_bytes(pending.state)):
            raise SignInFailed("state_unknown")
        if not -CLOCKS_DIFFER <= self._clock() - pending.begun_at <= LOGIN_SECONDS:
            raise SignInFailed("clock_off" if self.network.warning == "clock_off" else "state_expired")
        if not self.store.use_once(f"login {state}", LOGIN_SECONDS + CLOCKS_DIFFER):
            raise SignInFailed("state_used")
        if "error" in answer:
            raise _callback_error(answer)
        if not answer.get("code"):
            raise SignInFailed("code_missing")

        issued_at, sure = self._clock(), True
        pair = self.oauth.exchange(answer["code"])
        try:
            user = self.oauth.user_of(pair.access_token)
            known["user_id"] = user.id
            record = TokenRecord(
                user_id=user.id,
                name=user.name or "",
                login=user.login or "",
                grant=new_grant(),
                access_token=pair.access_token,
                refresh_token=pair.refresh_token,
                issued_at=issued_at,
                lifetime=pair.lifetime,
            )
            if let_in:
                let_in(record)
            with self.store.lock(record.user_id) as held:
                earlier = held.load()
                if earlier:
                    record = replace(record, grant=earlier.grant)
                sure = False
                held.save(record, patience=SAVE_SECONDS)
                sure = True
        except BaseException as error:
            if sure or not isinstance(error, StoreUnavailable):  # else it may be stored all the same: a late command
                self._revoke(pair.access_token, pair.refresh_token)
            raise
        if earlier:  # nobody could end the replaced tokens later on
            self._revoke(earlier.access_token, earlier.refresh_token)
        return record

    def find(self, user_id: str, grant: str) -> TokenRecord | None:
        """Return the record that a session speaks of, or None if that sign-in has been ended."""
        record = self.store.load(user_id)
        return record if record and record.has_grant(grant) else None

    def client(self, record: TokenRecord) -> BoxClient:
        """Return an SDK client that acts for the record's user; cheap to make, so make one a request."""
        forget = functools.partial(self.forget, record.user_id, record.grant)
        return user_client(record, self.refresher, self.oauth, self.network, forget)

    def forget(self, user_id: str, grant: str) -> None:
        """Sign the user out everywhere: delete the record, then revoke at Box, whatever Box answers."""
        with self.store.lock(user_id) as held:
            record = held.load()
            if record is None or not record.has_grant(grant):
                return
            held.delete()
        signals.tell(signals.signed_out, user_id=user_id, reason="asked")
        self._revoke(record.access_token, record.refresh_token)

    def _revoke(self, access_token: str, refresh_token: str) -> None:
        # Whether ending one token ends the other is reported both ways (box-python-sdk-gen #339), so end both.
        try:
            self.network.at_once(lambda: self.oauth.revoke(refresh_token), lambda: self.oauth.revoke(access_token))
        except BoxAuthError:  # nobody can do more about it
            pass


def open_flow(settings: Settings | None = None, *, demo: stand_in.Beside | None = None, announce: bool = False) -> Flow:
    """Return the engine under ``settings``, or those of `.env` and the environment. Make one for the whole process.

    It keeps tokens where the web app does. Where no settings speak for a live app, ``demo`` plays Box if there is one:
    it gets a folder for its data, and returns the settings to use. With ``announce`` the terminal is told which of the
    two it is. Raises `ConfigError` and `StoreUnavailable`.
    """
    if settings is None:
        settings, folder, is_demo = stand_in.choose(config.read(), demo)
        if announce:
            kept_in = "Redis" if settings.redis_url else folder
            stand_in.say_start(is_demo, f"Box's answer comes to {settings.redirect_uri}", kept_in)
    hash_users(settings.client_secret if settings.log_hash_users else "")
    return Flow(settings, open_store(settings), Network(settings))


@contextlib.contextmanager
def _told() -> Iterator[dict[str, str]]:
    """Tell how a sign-in ends. Gives the place for the user's id, once that is known."""
    known = {"user_id": ""}
    try:
        yield known
    except Exception as error:
        code = error.code if isinstance(error, BoxAuthError) else "internal"
        signals.tell(signals.sign_in_refused, code=code, **known)
        raise
    signals.tell(signals.signed_in, **known)


def _callback_error(answer: Mapping[str, str]) -> SignInFailed:
    """Name the error that Box put into the callback, in its own words (they are escaped where they are shown)."""
    words = answer.get("error_description", "")[:300]
    if answer["error"] == "access_denied":
        return SignInFailed("access_denied")
    if words.strip() == "107":  # reported for apps an enterprise has not enabled (box-python-sdk #127)
        return SignInFailed("app_blocked")
    return SignInFailed("box_said_no", f"Box says: {answer['error'][:100]}. {words}".strip())
