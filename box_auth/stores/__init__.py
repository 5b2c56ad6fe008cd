"""Opens the token store that the settings ask for."""

from __future__ import annotations

from ..config import Settings
from .base import TokenStore
from .files import FileStore
from .record import Codec, Plain, app_id


def open_store(settings: Settings, *, trust_plain: bool = False) -> TokenStore:
    """Return the store of this machine, or with ``REDIS_URL`` the one that many share.

    With ``trust_plain``, for the operator's own commands, sign-ins that were kept plain survive their encryption.
    """
    app = app_id(settings.client_id)
    codec: Codec = Plain(app)
    if settings.token_encryption_keys:
        from .encryption import EncryptedCodec  # only where it is used: cryptography takes its time to import

        codec = EncryptedCodec(settings.token_encryption_keys, app, trust_plain)
    if settings.redis_url:
        from .redis import RedisStore, connect

        return RedisStore(connect(settings.redis_url), codec, settings.redis_prefix)
    return FileStore(settings.token_dir, codec)
