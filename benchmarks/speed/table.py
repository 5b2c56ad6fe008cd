"""The tables as they are printed, and which of the limits hold."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.figures import ROWS, Figures
from benchmarks.speed.peers import IMPORTED, OURS, PEERS
from benchmarks.speed.servers import App
from benchmarks.speed.steps import DELAY

REFRESH = 1000 * DELAY  # ms of one more call
TOLERANCE = 5.0  # ms
START = ["start", "start cpu", "start memory"]
EXPLAINED = ["memory", *START]  # rows in which a peer may be ahead: benchmarks/README.md says why
_BUSY = " \\*"


def table(figures: Figures, rows: list[str], apps: list[App], to: str = "floor") -> str:
    """Return a table: a line a row, a column an app, the ratio to the floor (or another app) in brackets."""
    lines = [f"| | {' | '.join(app.words for app in apps)} |", f"|---|{'---|' * len(apps)}"]
    for row in rows:
        cells = [cell(figures, row, app.name, to) for app in apps]
        lines.append(f"| {ROWS[row].words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(figures: Figures, row: str, app: str, to: str) -> str:
    found = figures.cells.get((row, app))
    if found and found.note:
        return found.note
    value = figures.median(row, app)
    if value is None:
        return "failed" if app in figures.failed else "–"
    said = f"{value:.{ROWS[row].places}f}"
    ratio = figures.ratio(row, app, to)
    if ratio is not None and ROWS[row].floor and app != to:
        said += f" ({ratio:.2f})"
    return said + (_BUSY if figures.in_doubt(row, app, *([to] if ratio is not None else [])) else "")


Limit = tuple[str, bool | None]  # what must hold, with the figure; None where there is nothing to judge by


def limits(figures: Figures, apps: list[App]) -> Iterator[Limit]:
    """Judge one table, of plain connections or TLS, by what must hold."""
    ours = OURS.name

    def doubt(*rows: str) -> str:
        return _BUSY if any(figures.in_doubt(row, ours, "floor") for row in rows) else ""

    def at_most(words: str, value: float | None, most: float, *rows: str, form: str = ".2f") -> Limit:
        said = f"{words}: {_said(value, form)}, at most {most:{form}}{doubt(*rows)}"
        return said, None if value is None else value <= most

    def at_least(words: str, value: float | None, least: float, *rows: str) -> Limit:
        said = f"{words}: {_said(value, '.2f')}, at least {least:.2f}{doubt(*rows)}"
        return said, None if value is None else value >= least

    for kind, prefix in (("dashboard", ""), ("folder page", "folder ")):
        p50, rate, cpu = f"{prefix}p50 50", f"{prefix}32 50", f"{prefix}cpu"
        yield at_most(f"{kind}: p50 at 50 ms, to the floor", figures.ratio(p50, ours), 1.03, p50)
        yield at_least(f"{kind}: views/s at 32 users, 50 ms, to the floor", figures.ratio(rate, ours), 0.90, rate)
        yield at_most(f"{kind}: CPU a view, to the floor", figures.ratio(cpu, ours), 1.5, cpu)
    for row, words, calls_more in (("expired", "expiry", 1), ("revoked", "an early end", 2)):
        most, more = calls_more * REFRESH + TOLERANCE, figures.median(f"{row} more", ours)
        yield at_most(f"first view after {words}: ms more than the next view", more, most, row, form=".1f")
    calls = figures.median("calls", ours)
    yield f"calls to Box a view: {_said(calls, '.2f')}, exactly 2", None if calls is None else calls == 2
    yield at_most("new connections a view", figures.median("connections", ours), 0)
    for large, small in (("100000", "1000"), ("100000 middle", "1000 middle"), ("100000 end", "1000 middle")):
        ratio = figures.ratio(large, ours, ours, small)
        names = [ROWS[row].words.partition(":")[0].partition(", 0 ms")[0] for row in (large, small)]
        yield at_most(f"time of a page, {names[0]}, to {names[1]}", ratio, 1.10, large, small)
    ratio = figures.ratio("memory 100000", ours, ours, "memory 1000")
    yield at_most("memory after the folder of 100 000, to that after 1 000", ratio, 1.10)
    yield from ahead_of_peers(figures, apps, [row for row in ROWS if ROWS[row].peers and not row.startswith("start")])


def start_limits(figures: Figures, apps: list[App]) -> Iterator[Limit]:
    ratio = figures.ratio("start", OURS.name, IMPORTED.name)
    words = f"start, to a Flask app that imports the SDK: {_said(ratio, '.2f')}, at most 1.30"
    yield words, None if ratio is None else ratio <= 1.3
    yield from ahead_of_peers(figures, apps, START)


def ahead_of_peers(figures: Figures, apps: list[App], rows: list[str]) -> Iterator[Limit]:
    """Judge each peer as a whole: a line names the rows in which it is ahead of ours."""
    for app in [app for app in apps if app in PEERS]:
        if app.name in figures.failed:
            yield f"ahead of {app.words}: {app.words} failed", None
            continue
        behind = [row for row in rows if _ahead(figures, row, app)]
        explained = [row for row in behind if row in EXPLAINED]
        unexplained = [row for row in behind if row not in EXPLAINED]
        words = f"ahead of {app.words} in every row" + (" but these" if behind else "")
        words += f": {_compared(figures, unexplained, app)}" if unexplained else ""
        words += f"; for the reason in README.md: {_compared(figures, explained, app)}" if explained else ""
        yield words, not unexplained


def _ahead(figures: Figures, row: str, app: App) -> bool:
    theirs, mine = figures.median(row, app.name), figures.median(row, OURS.name)
    return theirs is not None and mine is not None and (theirs > mine if ROWS[row].more else theirs < mine)


def _compared(figures: Figures, rows: list[str], app: App) -> str:
    def figure(row: str, name: str) -> str:
        return f"{figures.median(row, name):.{ROWS[row].places}f}"

    words = [ROWS[row].words.removesuffix(", ms") for row in rows]
    return ", ".join(
        f"{word} ({figure(row, OURS.name)} : {figure(row, app.name)})" for word, row in zip(words, rows, strict=True)
    )


def verdicts(judged: list[Limit]) -> str:
    words = {True: "met", False: "NOT MET", None: "not judged"}
    return "\n".join(f"- {words[holds]}: {limit}" for limit, holds in judged)


def _said(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"
