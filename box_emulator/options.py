"""How the emulator behaves where Box itself is not always the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .tokens import ACCESS_LIFETIME


@dataclass(frozen=True)
class Options:
    """All off, or as Box documents it, until changed.

    ``lenient_refresh`` lets a refresh token be used again until the new access token is (see `Tokens.refresh`).
    ``rate_limits`` turns on those of Box, by the emulator's clock: 429 for who calls too often.
    ``access_token_lifetime`` is in seconds; Box's examples vary from 3600 to 4175. ``token_overrides`` replaces parts
    of the token answer, for bad input: ``{"expires_in": "soon"}`` sends that, ``{"expires_in": None}`` leaves it out.
    ``representations_pending`` is Box before it has made thumbnails and representations: they are answered by 202.
    """

    lenient_refresh: bool = False
    rate_limits: bool = False
    access_token_lifetime: int = ACCESS_LIFETIME
    representations_pending: bool = False
    token_overrides: dict[str, Any] = field(default_factory=dict)

    def changed(self, **options: Any) -> Options:
        """Return these with some changed; an unknown name, or a value of the wrong type, raises `ValueError`."""
        known = asdict(self)
        for name, value in options.items():
            if name not in known:
                raise ValueError(f"There is no option {name}.")
            if type(value) is not type(known[name]):
                raise ValueError(f"The option {name} takes a {type(known[name]).__name__}.")
        return Options(**known | options)
