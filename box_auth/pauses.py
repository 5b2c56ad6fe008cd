"""How long to pause between two looks for what another process, or another machine, is about to do."""

from __future__ import annotations

SHORTEST, LONGEST = 0.001, 0.05  # seconds


def pause_after(waited: float) -> float:
    """Return the pause after so many seconds of waiting, which makes who waits 2 % late, or a millisecond: a refresh
    takes some hundredths of a second, and whoever waits for long needs to look less often."""
    return min(max(SHORTEST, waited / 50), LONGEST)
