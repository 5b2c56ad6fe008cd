"""The emulator's own clock. Nothing else here asks what time it is."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from .database import Database

_PACIFIC = timezone(timedelta(hours=-8))


_LATEST = 5_680_000_000.0  # seconds since 1970


class Clock:
    """Real time plus an offset, kept in the database: shared by all processes, and there after a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        row = self._database.row("SELECT offset, frozen_at FROM clock")
        assert row is not None  # noqa: S101 - the schema makes it
        frozen_at: float | None = row["frozen_at"]
        return time.time() + float(row["offset"]) if frozen_at is None else frozen_at

    def advance(self, seconds: float) -> None:
        """Move forward, frozen or not. Box's clock never goes back, so ``seconds`` below 0 raise `ValueError`."""
        if not 0 <= seconds <= _LATEST - self.now():  # this refuses NaN, too
            raise ValueError("The clock only goes forward, and not beyond the year 2149.")
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE clock SET offset = offset + ?, frozen_at = frozen_at + ?", (seconds, seconds))

    def freeze(self) -> None:
        """Stand still until `unfreeze`."""
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE clock SET frozen_at = ? WHERE frozen_at IS NULL", (self.now(),))

    def unfreeze(self) -> None:
        """Go on from the moment at which the clock stood."""
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE clock SET offset = frozen_at - ?, frozen_at = NULL WHERE frozen_at IS NOT NULL", (time.time(),)
            )

    @property
    def frozen(self) -> bool:
        return self._database.row("SELECT 1 FROM clock WHERE frozen_at IS NOT NULL") is not None


def iso(seconds: float | None) -> str | None:
    """Write a time as Box does: ISO 8601 to the second, with the offset of California (OpenAPI, examples)."""
    return None if seconds is None else datetime.fromtimestamp(seconds, _PACIFIC).isoformat("T", "seconds")
