"""Signed addresses of the download host: whoever has one may use it, for a while, and nobody can make one up."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .errors import ApiError

if TYPE_CHECKING:
    from .model import Model


def signed(model: Model, path: str, lifetime: int) -> str:
    """Return the path with a signature that is good for so many seconds by the emulator's clock."""
    expires = str(round(model.clock.now()) + lifetime)
    return f"{path}?expires={expires}&signature={_signature(model, path, expires)}"


def check(model: Model, path: str, arguments: Mapping[str, str]) -> None:
    """Raise 403 unless the arguments are those that the path was signed with, and it is not too late."""
    expires = arguments.get("expires", "")
    wanted = _signature(model, path, expires)
    if not hmac.compare_digest(wanted.encode(), arguments.get("signature", "").encode()):
        raise ApiError(403, "The address is not valid.")
    if int(expires) <= model.clock.now():
        raise ApiError(403, "The address has expired.")


def _signature(model: Model, path: str, expires: str) -> str:
    row = model.database.row("SELECT download_key FROM secrets")
    assert row is not None  # noqa: S101 - the schema makes it
    return hmac.new(row["download_key"], f"{path} {expires}".encode(), hashlib.sha256).hexdigest()
