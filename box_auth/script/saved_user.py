"""Who is signed in by script: for a terminal, what the session cookie is for a browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from ..errors import SignInRequired, StoreUnavailable
from ..flow import Flow
from ..stores.base import TokenRecord


class ScriptSession:
    """One file, ``script.json``, that names the user and the grant; the tokens are in the store, with everybody's.

    There is one such user at a time, and it is whoever signed in here last. Nobody else's sign-in is ever used.
    """

    def __init__(self, flow: Flow, folder: Path) -> None:
        self.flow = flow
        self._file = folder / "script.json"

    def record(self) -> TokenRecord:
        """Return who is signed in. Raises `SignInRequired` if nobody is, or no longer."""
        try:
            named = json.loads(self._file.read_text("utf-8"))
            user_id, grant = str(named["user_id"]), str(named["grant"])
        except FileNotFoundError:
            raise SignInRequired("sign_in_needed") from None
        except (ValueError, TypeError, KeyError, RecursionError):  # damaged; the next sign-in writes it anew
            raise SignInRequired("signed_out") from None
        except OSError as error:
            raise self._unusable(error) from None
        record = self.flow.find(user_id, grant) if re.fullmatch("[0-9]{1,32}", user_id) else None
        if record is None:
            raise SignInRequired("signed_out")
        return record

    def check_room(self) -> None:
        """Raise `StoreUnavailable` if a sign-in could not be kept now: better before asking anybody to sign in."""
        with self.flow.store.lock("0"):  # nobody's id
            self.flow.store.check_room("0")
        with self._draft("") as draft:
            draft.unlink()

    def remember(self, record: TokenRecord) -> None:
        """Make this the script's user."""
        with self._draft(json.dumps({"user_id": record.user_id, "grant": record.grant})) as draft:
            os.replace(draft, self._file)

    def end(self) -> TokenRecord:
        """Sign the user out, here and everywhere, and at Box. Raises `SignInRequired` if nobody is signed in."""
        record = self.record()
        self.flow.forget(record.user_id, record.grant)
        self._file.unlink(missing_ok=True)
        return record

    @contextlib.contextmanager
    def _draft(self, text: str) -> Iterator[Path]:
        path = self._file.with_name(f".script.{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                    file.write(text)
                yield path
            finally:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable("store_unavailable", f"{self._file.name}: {error.strerror or error}.")
