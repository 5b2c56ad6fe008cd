"""What is stored for each signed-in user, and what the engine asks of a store for it."""

from __future__ import annotations

import json
import re
import secrets
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from ..errors import StoreUnavailable

VERSION = 1
EARLY = 300.0  # refresh this many seconds before the end, or at a tenth of a shorter life
LOCK_WAIT = 15.0  # seconds; longer than a refresh may take
_LONGEST = 24 * 3600.0  # Box's access tokens live about an hour; a longer claim is taken for a mistake


@dataclass(frozen=True)
class TokenRecord:
    """One user's tokens. Times are seconds since 1970; ``lifetime`` is None when Box did not say anything usable.

    ``grant`` is drawn when the record is first made and kept across refreshes and further sign-ins. A session must
    name it, so that a sign-out (which deletes the record) ends every session of the user for good.
    """

    user_id: str
    name: str
    login: str
    grant: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: float
    lifetime: float | None

    def is_fresh(self, now: float) -> bool:
        """Tell whether the access token can be used without a thought. Of unknown lifetime: until Box refuses it."""
        if self.lifetime is None:
            return True
        return now < self.issued_at + self.lifetime - min(EARLY, self.lifetime / 10) and not self._from_the_future(now)

    def is_alive(self, now: float) -> bool:
        """Tell whether the access token may still be used if no newer one can be had."""
        return self.lifetime is None or now < self.issued_at + self.lifetime

    def _from_the_future(self, now: float) -> bool:
        # The clock was set back, so that the token's age is not known: better one refresh too many.
        return self.issued_at > now + 60


def new_grant() -> str:
    return secrets.token_urlsafe(16)


def usable_lifetime(expires_in: object) -> float | None:
    """Read Box's ``expires_in`` (seconds): None if it is missing, not a number, not positive or beyond a day."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float, str)):
        return None
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds <= _LONGEST else None


def encode(record: TokenRecord) -> bytes:
    return json.dumps({"version": VERSION, **asdict(record)}, indent=1).encode()


def decode(data: bytes, user_id: str) -> TokenRecord:
    """Read what `encode` wrote. Raises `ValueError` for anything else: truncated, foreign, of another version."""
    try:
        values: Any = json.loads(data)
        if values.pop("version") != VERSION:
            raise ValueError("another version")
        record = TokenRecord(**values)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("not a token record") from None  # the cause could quote the tokens
    texts = (record.name, record.login, record.grant, record.access_token, record.refresh_token)
    numbers = (record.issued_at, 0 if record.lifetime is None else record.lifetime)
    if record.user_id != user_id or not all(isinstance(text, str) for text in texts):
        raise ValueError("not this user's token record")
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
        raise ValueError("not a token record")
    return record


class Codec(Protocol):
    """How records are written down. `PLAIN` is JSON; `encryption.Sealed` encrypts it."""

    def encode(self, record: TokenRecord) -> bytes: ...

    def decode(self, data: bytes, user_id: str) -> TokenRecord:
        """Raises `ValueError` for what is no record of the user, `StoreUnavailable` for one that needs another key."""

    def is_outdated(self, data: bytes) -> bool:
        """Tell whether a readable record should be written again."""


class _Plain:
    def encode(self, record: TokenRecord) -> bytes:
        return encode(record)

    def decode(self, data: bytes, user_id: str) -> TokenRecord:
        if is_encrypted(data):
            raise StoreUnavailable("key_missing")
        return decode(data, user_id)

    def is_outdated(self, data: bytes) -> bool:
        return False


PLAIN: Codec = _Plain()


def is_encrypted(data: bytes) -> bool:
    """Tell whether ``data`` begins like a Fernet token (version 0x80 and a time before the year 2106)."""
    return data.startswith(b"gAAAAA")


class TokenStore(ABC):
    """What the engine asks of a store, and the parts that every store shares. Any method may raise `StoreUnavailable`.

    A store of your own implements the methods below `users`; `box_auth/tests/store_contract.py` holds it to the rest.
    """

    def __init__(self, codec: Codec = PLAIN) -> None:
        self.codec = codec

    def load(self, user_id: str, *, locked: bool = False) -> TokenRecord | None:
        """Return the user's record, or None. A record that cannot be read is set aside, not deleted, and None
        returned. Say ``locked`` when you hold the user's lock."""
        data = self.read(check_id(user_id))
        if data is None:
            return None
        try:
            record = self.codec.decode(data, user_id)
            if not self.codec.is_outdated(data):
                return record
        except ValueError:
            record = None
        if not locked:  # look again when nobody writes: what was bad may have been replaced since
            with self.lock(user_id):
                return self.load(user_id, locked=True)
        if record:
            self.save(record)
        else:
            self.set_aside(user_id)
        return record

    def save(self, record: TokenRecord) -> None:
        """Write the record whole or not at all; call it with the user's lock held."""
        self.write(check_id(record.user_id), self.codec.encode(record))

    @abstractmethod
    def users(self) -> list[str]:
        """Return the ids of the users who have a record, sorted."""

    @abstractmethod
    def lock(self, user_id: str, wait: float = LOCK_WAIT) -> AbstractContextManager[None]:
        """Hold the user's lock, across threads, processes and machines. `SignInBusy` after ``wait`` seconds."""

    @abstractmethod
    def delete(self, user_id: str) -> None:
        """Remove the user's record, if any; call it with the user's lock held."""

    @abstractmethod
    def check_room(self, user_id: str) -> None:
        """Raise `StoreUnavailable` if a record could not be saved now; call it with the user's lock held."""

    @abstractmethod
    def read(self, user_id: str) -> bytes | None:
        """Return what `write` was last given for the user, from any process; None if there is nothing."""

    @abstractmethod
    def write(self, user_id: str, data: bytes) -> None:
        """Replace what is stored for the user, in one step that survives a crash."""

    @abstractmethod
    def set_aside(self, user_id: str) -> None:
        """Move what is stored for the user to where `read` does not find it but a person can."""


def check_id(user_id: str) -> str:
    """Return ``user_id`` if it is one of Box's (digits): nothing else may name a file or a key."""
    if not re.fullmatch(r"[0-9]{1,32}", user_id):
        raise StoreUnavailable("store_unavailable", "The user id is not one of Box's.")
    return user_id
