"""The program's own output in `benchmarks/README.md`, so that nobody types a figure."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
PLACE = re.compile("(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


class Copy:
    """Standard output, and the text of all that went there."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, words: str) -> int:
        self.text += words
        return sys.__stdout__.write(words)  # type: ignore[union-attr]

    def flush(self) -> None:
        sys.__stdout__.flush()  # type: ignore[union-attr]


def put(text: str, readme: Path = README) -> None:
    """Put what was printed between the two marks; its headings are below that of the section."""
    inside = re.sub("^###", "####", text, flags=re.MULTILINE).strip()
    readme.write_text(PLACE.sub(lambda found: f"{found[1]}{inside}\n{found[2]}", readme.read_text("utf-8")), "utf-8")
