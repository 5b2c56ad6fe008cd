"""What is measured, for how long, with which users."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.speed.answers import USERS

DELAY = 0.05  # seconds that Box takes for a call, where it takes any
WARM = list(range(52))  # users whose tokens stay good: the first FEW of them for the peers
FEW = 32
EXPIRED, REVOKED = list(range(52, 58)), list(range(58, USERS))
SHORT_LIFE = 2  # seconds, of tokens that are to end
PATIENCE = 3.0  # seconds for the first views of one app: some wait long before they try again
FOLDER = "/files/1000"
PAIR = ("floor", "ours")  # what the limits compare: measured in every round, and at more
OTHERS = 0.7  # of the time for the others
PAGES = {
    "10": "/files/10",
    "1000": FOLDER,
    "100000": "/files/100000",
    "1000 middle": f"{FOLDER}?page=5",
    "100000 middle": "/files/100000?page=50",
    "100000 end": "/files/100000?page=100",
}


@dataclass(frozen=True)
class Step:
    """Views by so many users at once, for so many seconds, and what of it each row of the table gets."""

    delay: float
    at_once: int
    seconds: float
    rows: dict[str, str]
    path: str = "/dashboard"


DASHBOARD_STEPS = (
    Step(0, 1, 1.6, {"p50 0": "p50", "p95 0": "p95", "cpu": "cpu", "calls": "calls"}),
    Step(DELAY, 1, 2.4, {"p50 50": "p50", "p95 50": "p95"}),
    Step(0, 8, 1.6, {"8 0": "rate"}),
    Step(0, 32, 1.6, {"32 0": "rate"}),
    Step(DELAY, 8, 1.6, {"8 50": "rate"}),
    Step(DELAY, 32, 1.6, {"32 50": "rate", "connections": "connections"}),
)
FOLDER_STEPS = (
    Step(0, 1, 1.2, {"folder cpu": "cpu"}, FOLDER),
    Step(DELAY, 1, 1.8, {"folder p50 50": "p50"}, FOLDER),
    Step(DELAY, 32, 1.6, {"folder 32 50": "rate"}, FOLDER),
)
