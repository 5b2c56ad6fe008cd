"""The catalogue as a document: ``python -m box_auth.cli.document > docs/troubleshooting.md`` writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from ..problems import TEXT, problems


def document() -> str:
    """Return the catalogue in Markdown, in the order and under the headings of `problems.toml`."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# When something goes wrong"
    yield ""
    yield "Every failure has a short code. Pages show it, and so do the script and the `flask box` commands; here is"
    yield "what each one means. `make doctor` (without make: `.venv/bin/flask box doctor`) looks for causes by itself."
    for found in re.finditer(r"^# -+ (.+)$|^\[(\w+)\]$", TEXT, re.MULTILINE):
        heading, code = found.groups()
        yield ""
        if heading:
            yield f"## {heading}"
            continue
        problem = problems()[code]
        yield f"### {code}"
        yield ""
        yield f"**{problem.title}.** {problem.happened}"
        if problem.box:
            yield ""
            yield f"Box's own words: {', or '.join(f'`{words}`' for words in problem.box)}."
        if problem.refused:
            yield ""
            yield f"Box's own codes: {', '.join(f'`{sign}`' for sign in problem.refused)}."
        yield ""
        yield f"*What to do:* {problem.todo}"
        if problem.operator:
            yield ""
            yield "Visitors of a live app are told only that something is not set up right, and this code."


if __name__ == "__main__":
    sys.stdout.buffer.write(document().encode())  # as UTF-8 with plain line ends, whatever the terminal is
