"""Token records encrypted at rest with Fernet keys of the operator's; off unless `TOKEN_ENCRYPTION_KEYS` is set."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..errors import StoreUnavailable
from .base import TokenStore
from .record import ENCRYPTED, TokenRecord, decode, encode, is_encrypted, new_grant

_OVERHEAD = 1 + 8 + 16 + 32  # a Fernet token's version, time, IV and HMAC, in bytes around its 16-byte blocks


class EncryptedCodec:
    """Encrypts with the first key and reads with all of them; also reads what was written before, in the plain.

    A plain record's grant is not believed unless ``trust_plain``: without a key anybody could have written it there,
    to match a session of theirs.
    """

    def __init__(self, keys: Sequence[str], app: str, trust_plain: bool = False) -> None:
        self.app = app
        self._trust_plain = trust_plain
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encode(self, record: TokenRecord) -> bytes:
        return ENCRYPTED + self._fernet.encrypt(encode(record, self.app))

    def decode(self, data: bytes, user_id: str) -> TokenRecord:
        """Raises `ValueError` for what is no record at all, `StoreUnavailable` for one under another key."""
        if not is_encrypted(data):
            record = decode(data, user_id, self.app)
            return record if self._trust_plain else replace(record, grant=new_grant())
        token = data.removeprefix(ENCRYPTED)
        try:
            plain = self._fernet.decrypt(token)
        except InvalidToken:
            if _is_whole(token):
                raise StoreUnavailable("key_wrong") from None
            raise ValueError("a damaged token record") from None
        return decode(plain, user_id, self.app)

    def is_outdated(self, data: bytes) -> bool:
        """Tell whether ``data`` is plain, or of version 1, and should be written again."""
        return not data.startswith(ENCRYPTED)


def rotate(store: TokenStore) -> int:
    """Write every record again, under the first key; return how many. Raises `StoreUnavailable`, losing nothing.

    It is the operator who asks for it, with a store that may trust what is plain (`open_store`).
    """
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
