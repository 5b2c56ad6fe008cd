"""What is stored for each signed-in user, and how it is written down."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from ..errors import StoreUnavailable

VERSION = 2  # of what is written; 1 named no app, and is still read
ENCRYPTED = b"box-2:"  # stands before what is encrypted, since version 2
_HEAD = b'{\n "version": 2,'
EARLY = 300.0  # refresh this many seconds before the end, or at a tenth of a shorter life


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

    def has_grant(self, grant: str) -> bool:
        """Tell whether ``grant``, as a session names it, is this record's."""
        return secrets.compare_digest(self.grant.encode(), grant.encode())

    def _from_the_future(self, now: float) -> bool:
        # The clock was set back, so that the age is not known: better one refresh too many. The clocks of two machines
        # may differ by a minute or two, for which refreshing early leaves room.
        return self.issued_at > now + EARLY


def new_grant() -> str:
    return secrets.token_urlsafe(16)


def app_id(client_id: str) -> str:
    """Name a Box app in files and keys, so that two apps mix nothing of what they keep: 16 hex digits."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:16]


def encode(record: TokenRecord, app: str) -> bytes:
    """Write a record down. ``app`` says whose it is: the Box app's, see `app_id`."""
    return json.dumps({"version": VERSION, "app": app, **asdict(record)}, indent=1).encode()


def decode(data: bytes, user_id: str, app: str) -> TokenRecord:
    """Read what `encode` wrote. Raises `ValueError` for anything else: truncated, foreign, another app's."""
    try:
        values: Any = json.loads(data)
        version = values.pop("version")
        if version != 1 and (version != VERSION or values.pop("app") != app):
            raise ValueError("another version, or another app")
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
    """How the records of one Box app, whose id is ``app``, are written down. `Plain` is JSON;
    `encryption.EncryptedCodec` encrypts it."""

    app: str

    def encode(self, record: TokenRecord) -> bytes: ...

    def decode(self, data: bytes, user_id: str) -> TokenRecord:
        """Raises `ValueError` for what is no record of the user, `StoreUnavailable` for one that needs another key."""

    def is_outdated(self, data: bytes) -> bool:
        """Tell whether a readable record should be written again."""


class Plain:
    def __init__(self, app: str) -> None:
        self.app = app

    def encode(self, record: TokenRecord) -> bytes:
        return encode(record, self.app)

    def decode(self, data: bytes, user_id: str) -> TokenRecord:
        if is_encrypted(data):
            raise StoreUnavailable("key_missing")
        return decode(data, user_id, self.app)

    def is_outdated(self, data: bytes) -> bool:
        return not data.startswith(_HEAD)


def is_encrypted(data: bytes) -> bool:
    """Tell whether ``data`` is a Fernet token; only those of version 1 have no mark before them."""
    return data.removeprefix(ENCRYPTED).startswith(b"gAAAAA")  # version 0x80 and a time before the year 2106
