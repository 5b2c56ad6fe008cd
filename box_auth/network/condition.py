"""What Box's answers show of this machine: whether its clock is right, and whether it trusts what it reaches."""

from __future__ import annotations

import ssl
import time
from email.utils import parsedate_to_datetime

from ..errors import BoxAuthError, causes
from ..logs import own_logger

CLOCK = 60.0  # seconds by which the clocks may differ

_log = own_logger(__name__)


class Condition:
    """As this process has last seen it."""

    def __init__(self) -> None:
        self.warning = ""  # a code of the catalogue's
        self._date: str | None = None  # of the answer that was looked at last

    def answered(self, date: str) -> None:
        """Compare the clock with the ``Date`` of an answer. The log is told when it begins to be off."""
        if date == self._date:  # read once a second, not with each call
            return
        self._date = date
        before, ahead = self.warning, clock_ahead(date)
        self.warning = "clock_off" if ahead is not None and abs(ahead) > CLOCK else ""
        if self.warning and self.warning != before and ahead is not None:
            _log.warning("%s", BoxAuthError("clock_off", told(ahead)))

    def untrusted(self) -> None:
        """Take note of a certificate that this machine does not trust."""
        self.warning, self._date = "box_tls", None


def clock_ahead(date: str) -> float | None:
    """Return by how many seconds this machine's clock is ahead of a ``Date`` header, None if that is no date."""
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def told(ahead: float) -> str:
    return f"It is {abs(ahead):.0f} seconds {'ahead of' if ahead > 0 else 'behind'} Box's."


def why_untrusted(error: BaseException | None) -> str:
    """Say what is wrong with a certificate, in OpenSSL's words and without names; empty where it was something else."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"OpenSSL says: {cause.verify_message}."
    return ""
