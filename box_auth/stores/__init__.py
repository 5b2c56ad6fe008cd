"""Opens the token store that the settings ask for."""

from __future__ import annotations

from ..config import Settings
from .base import TokenStore
from .files import FileStore
from .record import PLAIN


def open_store(settings: Settings) -> TokenStore:
    """Return the store of this machine, or with ``REDIS_URL`` the one that many share."""
    codec = PLAIN
    if settings.token_encryption_keys:
        from .encryption import EncryptedCodec  # only where it is used: cryptography takes its time to import

        codec = EncryptedCodec(settings.token_encryption_keys)
    if settings.redis_url:
        from .redis import RedisStore, connect

        return RedisStore(connect(settings.redis_url), codec)
    return FileStore(settings.token_dir, codec)
