"""Who is signed in by script: for a terminal, what the session cookie is for a browser."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

from .. import private_files
from ..errors import SignInRequired
from ..flow import Flow
from ..stores.record import TokenRecord


class SavedUser:
    """One file, ``script.json``, that names the user and the grant; the tokens are in the store, with everybody's.

    There is one such user at a time, and it is whoever signed in here last. Nobody else's sign-in is ever used.
    """

    def __init__(self, flow: Flow, folder: Path) -> None:
        self.flow = flow
        self._file = folder / "script.json"

    def record(self) -> TokenRecord:
        """Return who is signed in. Raises `SignInRequired` if nobody is, or no longer."""
        try:
            with self._errors():
                named = json.loads(self._file.read_text("utf-8")) if self._file.exists() else None
            if named is None:
                raise SignInRequired("sign_in_needed")
            user_id, grant = str(named["user_id"]), str(named["grant"])
        except (ValueError, TypeError, KeyError, RecursionError):  # damaged; the next sign-in writes it anew
            raise SignInRequired("signed_out") from None
        record = self.flow.find(user_id, grant) if re.fullmatch("[0-9]{1,32}", user_id) else None
        if record is None:
            raise SignInRequired("signed_out")
        return record

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` if a sign-in could not be kept now: better before asking anybody to sign in."""
        self.flow.store.check_writable()
        with self._errors(), private_files.locked(self._file):
            private_files.check_writable(self._file)

    def remember(self, record: TokenRecord) -> None:
        """Make this the script's user."""
        text = json.dumps({"user_id": record.user_id, "grant": record.grant})
        with self._errors(), private_files.locked(self._file):
            private_files.write(self._file, text.encode())

    def end(self) -> TokenRecord:
        """Sign the user out, here and everywhere, and at Box. Raises `SignInRequired` if nobody is signed in."""
        record = self.record()
        self.flow.forget(record.user_id, record.grant)
        self._file.unlink(missing_ok=True)
        return record

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return private_files.named_errors(self._file.name)
