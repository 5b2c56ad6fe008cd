"""The tokens that the quiet Box gives out."""

from __future__ import annotations

import itertools
import json
import re
import time

from benchmarks.speed.answers import USERS

CLIENT_ID, CLIENT_SECRET = "bench-client", "bench-secret"


class Tokens:
    """Which tokens are good. Refresh tokens work once; an access token ends after its own life, or by a switch."""

    def __init__(self) -> None:
        self.life = 3600.0  # seconds, of tokens to come
        self._serial = itertools.count(1)
        self._access: dict[bytes, tuple[int, float]] = {}
        self._refresh: dict[str, int] = {}

    def user_of(self, token: bytes) -> int | None:
        user, end = self._access.get(token, (None, 0.0))
        return user if end > time.monotonic() else None

    def answer(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Answer the token endpoint."""
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return 400, b'{"error":"invalid_client","error_description":"The client credentials are invalid"}'
        user: int | None = None
        if form.get("grant_type") == "authorization_code" and re.fullmatch(r"code-\d\d?", form.get("code", "")):
            user = int(form["code"].removeprefix("code-"))
        elif form.get("grant_type") == "refresh_token":
            user = self._refresh.pop(form.get("refresh_token", ""), None)
        if user is None or user >= USERS:
            return 400, b'{"error":"invalid_grant","error_description":"Refresh token has expired"}'
        number = next(self._serial)
        access, refresh = f"a{user:02}x{number:028x}", f"r{user:02}x{number:060x}"
        self._access[access.encode()] = user, time.monotonic() + self.life
        self._refresh[refresh] = user
        pair = {"access_token": access, "expires_in": int(self.life), "restricted_to": [], "refresh_token": refresh}
        return 200, json.dumps({**pair, "token_type": "bearer"}).encode()

    def end_access(self, users: set[int]) -> None:
        """End the access tokens of these users; their refresh tokens stay good."""
        self._access = {token: (user, end) for token, (user, end) in self._access.items() if user not in users}
