"""Token records encrypted at rest with Fernet keys of the operator's; off unless `TOKEN_ENCRYPTION_KEYS` is set."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..errors import StoreUnavailable
from .base import TokenStore
from .record import TokenRecord, decode, encode, is_encrypted

_OVERHEAD = 1 + 8 + 16 + 32  # a Fernet token's version, time, IV and HMAC, in bytes around its 16-byte blocks


class EncryptedCodec:
    """Encrypts with the first key and reads with all of them; also reads what was written before, in the plain."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encode(self, record: TokenRecord) -> bytes:
        return self._fernet.encrypt(encode(record))

    def decode(self, data: bytes, user_id: str) -> TokenRecord:
        """Raises `ValueError` for what is no record at all, `StoreUnavailable` for one under another key."""
        if not is_encrypted(data):
            return decode(data, user_id)
        try:
            plain = self._fernet.decrypt(data)
        except InvalidToken:
            if _is_whole(data):
                raise StoreUnavailable("key_wrong") from None
            raise ValueError("a damaged token record") from None
        return decode(plain, user_id)

    def is_outdated(self, data: bytes) -> bool:
        """Tell whether ``data`` is plain and should be written again."""
        return not is_encrypted(data)


def rotate(store: TokenStore) -> int:
    """Write every record again, under the first key; return how many. Raises `StoreUnavailable`, losing nothing."""
    count = 0
    for user_id in store.users():
        with store.lock(user_id) as held:
            record = held.load()
            if record:
                held.save(record)
                count += 1
    return count


def _is_whole(data: bytes) -> bool:
    try:
        size = len(base64.b64decode(data, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return False
    return size > _OVERHEAD and (size - _OVERHEAD) % 16 == 0
