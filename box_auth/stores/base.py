"""What the engine asks of a token store, and the lock that gives the only object that can change a record."""

from __future__ import annotations

import contextlib
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from .. import signals
from ..errors import StoreUnavailable
from .record import Codec, TokenRecord

LOCK_WAIT = 45.0  # seconds that a sign-in or sign-out waits for a lock: longer than a refresh takes at a slow Box


class TokenStore(ABC):
    """What the engine asks of a store, and the parts that every store shares. Any method may raise `StoreUnavailable`.

    Whoever wants to change a record must hold its user's lock, which gives the only object that can. A store of your
    own implements the methods below `check_writable`; `box_auth/tests/store_contract.py` holds it to the rest.
    """

    away = "store_unavailable"  # the code for a place that does not answer

    def __init__(self, codec: Codec) -> None:
        self.codec = codec

    def load(self, user_id: str) -> TokenRecord | None:
        """Return the user's record, or None. A record that cannot be read is set aside, not deleted."""
        data = self.read(check_id(user_id))
        if data is None:
            return None
        try:
            record = self.codec.decode(data, user_id)
            if not self.codec.is_outdated(data):
                return record
        except ValueError:
            pass
        with self.lock(user_id) as held:  # look again when nobody writes: what was bad may have been replaced since
            return held.load()

    @contextlib.contextmanager
    def lock(self, user_id: str, wait: float = LOCK_WAIT) -> Iterator[Held]:
        """Hold the user's lock, across threads, processes and machines. `SignInBusy` after ``wait`` seconds."""
        with self.acquire(check_id(user_id), wait) as hold:
            held = Held(self, user_id, hold)
            try:
                yield held
            finally:
                held.end()

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` if no record could be saved now. Takes no lock that others could hold."""
        self.try_write("0")  # nobody's id

    @abstractmethod
    def use_once(self, mark: str, seconds: float) -> bool:
        """Return True to the first caller with this ``mark``, from any process or machine, and False to all others for
        so many ``seconds``."""

    @abstractmethod
    def users(self) -> list[str]:
        """Return the ids of the users who have a record, sorted."""

    @abstractmethod
    def acquire(self, user_id: str, wait: float) -> AbstractContextManager[Any]:
        """Keep every other holder of the user's lock out, or raise `SignInBusy` after ``wait`` seconds.

        Gives what the store needs to know the lock by (`Held.hold`): `write`, `delete` and `set_aside` raise `LockLost`
        and change nothing if it has passed to somebody else, in one step with the change.
        """

    @abstractmethod
    def read(self, user_id: str) -> bytes | None:
        """Return what `write` was last given for the user, from any process; None if there is nothing."""

    @abstractmethod
    def write(self, held: Held, data: bytes) -> None:
        """Replace what is stored for the user, in one step that survives a crash."""

    @abstractmethod
    def delete(self, held: Held) -> None:
        """Remove what is stored for the user, if anything."""

    @abstractmethod
    def set_aside(self, held: Held) -> None:
        """Move what is stored for the user to where `read` does not find it but a person can."""

    @abstractmethod
    def try_write(self, user_id: str) -> None:
        """Raise `StoreUnavailable` if a record could not be written now; change nothing. It needs no lock."""


class Held:
    """One user's record while `TokenStore.lock` is held for it: the only way to change it. Useless afterwards."""

    def __init__(self, store: TokenStore, user_id: str, hold: Any = None) -> None:
        self.user_id = user_id
        self.hold = hold
        self._store: TokenStore | None = store

    def load(self) -> TokenRecord | None:
        """Return the record, or None. One that cannot be read is set aside, and one of an older form written anew."""
        store = self._held()
        data = store.read(self.user_id)
        if data is None:
            return None
        try:
            record = store.codec.decode(data, self.user_id)
        except ValueError:
            store.set_aside(self)
            signals.tell(signals.sign_in_lost, user_id=self.user_id, code="record_unreadable")
            return None
        if store.codec.is_outdated(data):
            self.save(record)
        return record

    def save(self, record: TokenRecord, *, patience: float = 0.0) -> None:
        """Write the record whole or not at all. While that cannot be, it is tried again for ``patience`` seconds."""
        if record.user_id != self.user_id:
            raise ValueError("the record of a user whose lock is not held")
        store, end = self._held(), time.monotonic() + patience
        while True:
            try:
                return store.write(self, store.codec.encode(record))
            except StoreUnavailable:
                if time.monotonic() >= end:
                    raise
            time.sleep(0.1)

    def delete(self) -> None:
        """Remove the record, if any."""
        self._held().delete(self)

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` if the record could not be saved now."""
        self._held().try_write(self.user_id)

    def end(self) -> None:
        self._store = None

    def _held(self) -> TokenStore:
        if self._store is None:
            raise RuntimeError("the lock was given back: nothing may be written any more")
        return self._store


def check_id(user_id: str) -> str:
    """Return ``user_id`` if it is one of Box's (digits): nothing else may name a file or a key."""
    if not re.fullmatch(r"[0-9]{1,32}", user_id):
        raise StoreUnavailable("store_unavailable", "The user id is not one of Box's.")
    return user_id
