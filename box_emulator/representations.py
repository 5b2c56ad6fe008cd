"""Representations: other forms of a file, such as its text, or a picture of it (Box: guides, representations)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from .file_kinds import shown_as

_JPEGS = (32, 94, 160, 320, 1024, 2048)  # pixels each way (Box: guides, thumbnails); those up to 320 are thumbnails
_PNGS = (1024, 2048)
_HINT = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Representation:
    """``kind`` is Box's word for it, such as ``jpg``; ``size`` is in pixels each way, 0 if it is no picture."""

    kind: str
    size: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind}{'_thumb' if self.thumb else ''}_{self.size}x{self.size}" if self.size else self.kind

    @property
    def thumb(self) -> bool:
        return 0 < self.size <= 320

    @property
    def properties(self) -> dict[str, str]:
        if not self.size:
            return {}
        thumb = "true" if self.thumb else "false"
        return {"dimensions": f"{self.size}x{self.size}", "paged": "false", "thumb": thumb}

    def form(self, address: str, state: str = "") -> dict[str, Any]:
        """In JSON. Without a state, as when it was not asked for, it is not said where the content is."""
        form: dict[str, Any] = {"representation": self.kind, "properties": self.properties}
        form["info"] = {"url": f"{address}/{self.name}"}
        if state:
            form["status"] = {"state": state}
            form["content"] = {"url_template": f"{address}/{self.name}/content/{{+asset_path}}"}
        return form


def possible(name: str) -> list[Representation]:
    """Return all that there are of a file with this name."""
    shown = shown_as(name)
    pictures = [Representation("jpg", size) for size in _JPEGS] + [Representation("png", size) for size in _PNGS]
    texts = [Representation("extracted_text")]
    if shown == "picture":
        return pictures
    if shown == "pdf":
        return [*pictures, Representation("pdf"), *texts]
    return texts if shown == "text" else []


def chosen(name: str, hints: str) -> list[Representation]:
    """Return those of a file that ``X-Rep-Hints`` names: ``[pdf][jpg?dimensions=32x32]`` (OpenAPI, get_files_id).

    Of a list in one pair of brackets it is the first that there is (box-ui-elements: ``[dash,mp4][filmstrip]``).
    """
    found = list[Representation]()
    for hint in _HINT.findall(hints):
        kinds, _, query = hint.partition("?")
        first = next(_matching(possible(name), [kind.strip() for kind in kinds.split(",")], query), None)
        if first and first not in found:
            found.append(first)
    return found


def _matching(those: list[Representation], kinds: list[str], query: str) -> Iterator[Representation]:
    wanted = {key: values[0] for key, values in parse_qs(query).items()}
    for kind in kinds:
        for each in those:
            if each.kind == kind and all(each.properties.get(key, value) == value for key, value in wanted.items()):
                yield each
