"""What Redis suffers from, as an error of ours: told by redis-py's kinds of error, and by Redis's words."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

import redis

from ..errors import StoreUnavailable, causes

_REFUSED = (redis.AuthenticationError, redis.exceptions.NoPermissionError)
_CODES = (
    (_REFUSED, "redis_refused"),
    ((redis.exceptions.OutOfMemoryError,), "redis_full"),
    ((redis.exceptions.ReadOnlyError, redis.exceptions.MasterDownError), "redis_read_only"),
    ((redis.exceptions.ClusterError, redis.exceptions.ClusterDownError, redis.exceptions.AskError), "redis_cluster"),
)
_CODES_BY_TEXT = (  # what redis-py, or its version 5, has no kinds of error for
    (("MISCONF", "NOREPLICAS"), "redis_cannot_save"),
    (("MASTERDOWN",), "redis_read_only"),
    (("MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT", "Keys in request don't hash to the same slot"), "redis_cluster"),
    (("The user executing the script",), "redis_refused"),
)


class SentinelsAway(redis.ConnectionError):
    """No sentinel answers. Its cause says why the first did not."""


class UnknownService(redis.RedisError):
    """The sentinels do not know the service that the address names."""


@contextlib.contextmanager
def redis_errors() -> Iterator[None]:
    """Turn Redis's errors into `StoreUnavailable`, in words that hold no address and no password."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(code_for(error), _detail(error)) from None


def code_for(error: redis.RedisError) -> str:
    """Name what Redis suffers from."""
    if isinstance(error, UnknownService):
        return "redis_service"
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        if any(isinstance(cause, _REFUSED) for cause in causes(error)):
            return "redis_refused"
        return "redis_tls" if _is_of_tls(error) else "redis_away"
    text = str(error).removeprefix("ERR ")
    known = [code for starts, code in _CODES_BY_TEXT if text.startswith(starts)]
    known += [code for kinds, code in _CODES if isinstance(error, kinds)]
    return known[0] if known else "redis_away"


def _is_of_tls(error: redis.RedisError) -> bool:
    return any(
        isinstance(cause, ssl.SSLError) or (isinstance(cause, TimeoutError) and "handshake" in str(cause))
        for cause in causes(error)
    )


def _detail(error: redis.RedisError) -> str:
    """Say why TLS failed, or that no sentinel answers, without names; of other errors the kind."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "The certificate is another host's." if cause.verify_code in (62, 64) else f"{cause.verify_message}."
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return f"{cause.reason}."
    return "No sentinel answers." if isinstance(error, SentinelsAway) else f"{type(error).__name__}."
