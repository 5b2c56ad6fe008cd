"""The catalogue of everything that can go wrong, as `problems.toml` beside this file has it.

It is parsed when the first failure asks for it: that takes some milliseconds, and most pages fail at nothing. All that
opens a file is done before, as a failure may be that none can be opened.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, replace
from importlib import resources


@dataclass(frozen=True)
class Problem:
    """One entry: a short code, the HTTP status of its page, what happened, and what to do about it.

    ``visitor`` is what to do for somebody who only visits the app; with ``operator`` none of it is for them, and they
    are told no more than that. ``box`` is how Box says the same at sign-in, as ``error: error_description``, and
    ``refused`` how it does when it refuses a call: by codes, or by a status for want of a code.
    """

    code: str
    status: int
    title: str
    happened: str
    todo: str
    visitor: str = ""
    operator: bool = False
    box: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def for_visitor(self) -> Problem:
        """Return the problem as somebody sees it who cannot change the app's settings."""
        if self.operator:
            general = problems()["not_for_visitors"]
            return replace(self, title=general.title, happened=general.happened, todo=general.todo)
        return replace(self, todo=self.visitor or self.todo)


TEXT = resources.files(__package__).joinpath("problems.toml").read_text("utf-8")


@functools.cache
def problems() -> dict[str, Problem]:
    """Return every problem by its code, in the catalogue's order."""
    return {
        code: Problem(code, **{**entry, **{name: tuple(entry.get(name, ())) for name in ("box", "refused")}})
        for code, entry in tomllib.loads(TEXT).items()
    }


@functools.cache
def refusals() -> dict[str, Problem]:
    """Return the problems by how Box says them when it refuses a call."""
    return {sign: problem for problem in problems().values() for sign in problem.refused}
