"""The catalogue of everything that can go wrong, as `problems.toml` beside this file has it.

``python -m box_auth.problems`` writes it as a document: `docs/troubleshooting.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Problem:
    """One entry: a short code, the HTTP status of its page, what happened, and what to do about it.

    ``box`` is how Box says the same, as ``error: error_description``.
    """

    code: str
    status: int
    title: str
    happened: str
    todo: str
    box: tuple[str, ...] = ()


_TEXT = resources.files(__package__).joinpath("problems.toml").read_text("utf-8")
PROBLEMS = {
    code: Problem(code, **{**entry, "box": tuple(entry.get("box", ()))}) for code, entry in tomllib.loads(_TEXT).items()
}


def document() -> str:
    """Return the catalogue in Markdown, in the order and under the headings of `problems.toml`."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# When something goes wrong"
    yield ""
    yield "Every failure has a short code. Pages show it, and so do the script and the `flask box` commands; here is"
    yield "what each one means. `flask box doctor` looks for causes by itself."
    for found in re.finditer(r"^# -+ (.+)$|^\[(\w+)\]$", _TEXT, re.MULTILINE):
        heading, code = found.groups()
        yield ""
        if heading:
            yield f"## {heading}"
            continue
        problem = PROBLEMS[code]
        yield f"### {code}"
        yield ""
        yield f"**{problem.title}.** {problem.happened}"
        if problem.box:
            yield ""
            yield f"Box's own words: {', or '.join(f'`{words}`' for words in problem.box)}."
        yield ""
        yield f"*What to do:* {problem.todo}"


if __name__ == "__main__":
    import sys

    sys.stdout.buffer.write(document().encode())  # as UTF-8 with plain line ends, whatever the terminal is
