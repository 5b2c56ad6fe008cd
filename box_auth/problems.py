"""The catalogue of everything that can go wrong, as `problems.toml` beside this file has it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Problem:
    """One entry: a short code, the HTTP status of its page, what happened, and what to do about it."""

    code: str
    status: int
    title: str
    happened: str
    todo: str


PROBLEMS = {
    code: Problem(code, **entry)
    for code, entry in tomllib.loads(resources.files(__package__).joinpath("problems.toml").read_text("utf-8")).items()
}
