"""What is stored for each signed-in user, and how it is written down."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from ..errors import StoreUnavailable

VERSION = 1
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
    """How records are written down. `PLAIN` is JSON; `encryption.EncryptedCodec` encrypts it."""

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
