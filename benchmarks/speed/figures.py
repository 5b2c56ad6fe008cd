"""What was measured, by row and app, with the ratio to the floor that was measured beside it."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """A line of the table. ``places`` behind the point; ``more`` where more is better; with ``floor`` False there is
    no floor to compare with, and with ``peers`` False no peer."""

    words: str
    places: int = 1
    more: bool = False
    floor: bool = True
    peers: bool = True


ROWS = {
    "p50 0": Row("dashboard, 1 user, 0 ms a call: p50, ms", 2),
    "p95 0": Row("1 user, 0 ms: p95, ms", 2),
    "p50 50": Row("1 user, 50 ms a call: p50, ms"),
    "p95 50": Row("1 user, 50 ms: p95, ms"),
    "8 0": Row("8 users, 0 ms: views/s", 0, more=True),
    "32 0": Row("32 users, 0 ms: views/s", 0, more=True),
    "8 50": Row("8 users, 50 ms: views/s", 0, more=True),
    "32 50": Row("32 users, 50 ms: views/s", 0, more=True),
    "cpu": Row("CPU a view, ms", 2),
    "expired": Row("first view after expiry, 50 ms, ms"),
    "revoked": Row("first view after an early end, 50 ms, ms"),
    "calls": Row("calls to Box a view", 2, floor=False, peers=False),
    "connections": Row("new connections a view, 32 users", 2, floor=False, peers=False),
    "warm memory": Row("memory of a worker, warm, MB", peers=False),
    "memory": Row("memory of a worker at the end, MB"),
    "folder p50 50": Row("folder of 1 000, 1 user, 50 ms: p50, ms"),
    "folder 32 50": Row("folder of 1 000, 32 users, 50 ms: views/s", 0, more=True),
    "folder cpu": Row("folder of 1 000, CPU a view, ms", 2),
    "10": Row("folder of 10, 0 ms: p50, ms", 2),
    "1000": Row("folder of 1 000, 0 ms: p50, ms", 2),
    "100000": Row("folder of 100 000, 0 ms: p50, ms", 2),
    "1000 middle": Row("folder of 1 000, page 5: p50, ms", 2),
    "100000 middle": Row("folder of 100 000, page 50: p50, ms", 2),
    "100000 end": Row("folder of 100 000, page 100: p50, ms", 2),
    "memory 1000": Row("memory after the folder of 1 000, MB", peers=False),
    "memory 100000": Row("memory after the folder of 100 000, MB", peers=False),
    "start": Row("start to the first page, s", 2),
    "start cpu": Row("CPU of that, s", 2),
    "start memory": Row("memory of the worker then, MB"),
}


@dataclass
class Cell:
    values: list[float] = field(default_factory=list)
    busy: bool = False  # the machine was, and stayed so
    note: str = ""  # instead of values


class Figures:
    """The cells of one table. Values of one row are in the order of the rounds, so that those of one round belong
    together."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], Cell] = defaultdict(Cell)
        self.failed: dict[str, str] = {}  # apps, and why

    def add(self, row: str, app: str, value: float, busy: bool = False) -> None:
        cell = self.cells[row, app]
        cell.values.append(value)
        cell.busy |= busy

    def note(self, row: str, app: str, words: str) -> None:
        self.cells[row, app].note = words

    def in_doubt(self, row: str, *apps: str) -> bool:
        """Tell whether the machine was busy with something else when this was measured of any of the apps."""
        return any(self.cells[row, app].busy for app in apps if (row, app) in self.cells)

    def median(self, row: str, app: str) -> float | None:
        """Return the median of all rounds, None where there is none."""
        cell = self.cells.get((row, app))
        return statistics.median(cell.values) if cell and cell.values and not cell.note else None

    def ratio(self, row: str, app: str, to: str = "floor", to_row: str = "") -> float | None:
        """Return the median ratio to the floor, to another app or another row: of the rounds that both had, else of
        the medians."""
        mine, base = self.cells.get((row, app), Cell()), self.cells.get((to_row or row, to), Cell())
        if mine.note or base.note or not mine.values or not base.values or not all(base.values):
            return None
        if len(mine.values) == len(base.values):
            return statistics.median(one / other for one, other in zip(mine.values, base.values, strict=True))
        return statistics.median(mine.values) / statistics.median(base.values)
