"""The settings as a document: ``python -m box_auth.cli.settings_document > docs/settings.md`` writes it.

What they are is told by the comments of `.env.sample`, their defaults and what is secret by the code.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from .. import config

_LINE = re.compile(r"(?:# )?([A-Z_]+) =")


def document() -> str:
    """Return the table in Markdown, in the order of `.env.sample`."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "They stand in `.env`, one a line, or in the environment, which wins. [.env.sample](../.env.sample) has them"
    yield "all, to be copied; a line that is empty, or still a placeholder, counts as unset. This page is made from it:"
    yield "`.venv/bin/python -m box_auth.cli.settings_document > docs/settings.md`."
    yield ""
    yield "| setting | default | what it is | secret |"
    yield "|---|---|---|---|"
    for names, text in groups((config.ROOT / ".env.sample").read_text("utf-8")):
        cells = ("<br>".join(cell) for cell in zip(*(_cells(name) for name in names), strict=True))
        named, default, secret = cells
        yield f"| {named} | {default} | {text.replace('|', chr(92) + '|')} | {secret} |"
    yield ""
    yield "Beside these, gunicorn takes its number of workers from `WEB_CONCURRENCY` (2), and the connection to Box the"
    yield "usual `HTTPS_PROXY`, `NO_PROXY` and `REQUESTS_CA_BUNDLE` from the environment."


def groups(sample: str) -> Iterator[tuple[list[str], str]]:
    """Give the names of each paragraph of `.env.sample`, and what its comment says of them."""
    for paragraph in sample.split("\n\n"):
        lines = paragraph.strip().split("\n")
        if names := [found[1] for line in lines if (found := _LINE.match(line))]:
            yield names, " ".join(line.removeprefix("# ") for line in lines if not _LINE.match(line))


def _cells(name: str) -> tuple[str, str, str]:
    default = _default(name)
    fields = {field.name.upper(): field for field in dataclasses.fields(config.Settings)}
    secret = name in fields and not fields[name].repr
    return f"`{name}`", f"`{default}`" if default else "–", "yes" if secret else "the file" if "_FILE" in name else "no"


def _default(name: str) -> str:
    """Return what holds where nothing but the two values of the Box console is set; empty where that is nothing."""
    if name in ("CLIENT_ID", "CLIENT_SECRET"):
        return ""
    folder = config.instance_folder({}, Path())
    if name == "INSTANCE_DIR":
        return folder.as_posix()
    value = getattr(config.parse({"CLIENT_ID": "-", "CLIENT_SECRET": "-"}, folder), name.lower(), None)
    if value is None or value == () or value == "":
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value.as_posix() if isinstance(value, Path) else str(value)


if __name__ == "__main__":
    sys.stdout.buffer.write(document().encode())  # as UTF-8 with plain line ends, whatever the terminal is
