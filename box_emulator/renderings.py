"""What small pictures and texts of files are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .file_kinds import picture_type
from .items import Item
from .pictures import grey_picture, picture
from .versions import Version

if TYPE_CHECKING:
    from .model import Model

_SMALL = 200_000  # bytes
_LARGEST = 320  # pixels, of what is drawn
_TEXT_MOST = 1 << 20  # bytes
_SHOWN_IN_PDF = re.compile(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj")


def small_picture(model: Model, version: Version, kind: str, size: int) -> tuple[bytes, str]:
    """Return a picture and its content type.

    There is nothing here that could shrink a picture, so a small one is its own thumbnail, whatever was asked for. All
    else has a drawing that is made up from its SHA-1.
    """
    if version.size <= _SMALL and (own := picture_type(content := model.contents.read(version.sha1))):
        return content, own
    draw = picture if kind == "png" else grey_picture
    return draw(version.sha1, min(size, _LARGEST) // 8 * 8), f"image/{'png' if kind == 'png' else 'jpeg'}"


def text(model: Model, file: Item, version: Version) -> str:
    """Return a text, or the words of a PDF that are not compressed."""
    with model.contents.path(version.sha1).open("rb") as source:
        content = source.read(_TEXT_MOST)
    if not file.name.lower().endswith(".pdf"):
        return content.decode("utf-8", "replace")
    lines = (re.sub(rb"\\(.)", rb"\1", line) for line in _SHOWN_IN_PDF.findall(content))
    return "\n".join(line.decode("cp1252", "replace") for line in lines)
