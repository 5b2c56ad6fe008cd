"""What kinds of files there are, by the ending of the name: what they are sent as, and how they can be shown."""

from __future__ import annotations

import mimetypes
from typing import Literal

Shown = Literal["text", "picture", "pdf", "not here"]

# Not from the tables of the machine at hand, which differ. An SVG file is sent so that no script in it can run.
_PICTURES = {
    **{"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"},
    **{"webp": "image/webp", "bmp": "image/bmp", "svg": "image/svg+xml"},
}
_STARTS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_TEXTS = {
    *("txt", "md", "csv", "tsv", "log", "json", "xml", "yaml", "yml", "ini", "html", "htm", "css"),
    *("js", "ts", "py", "rb", "go", "java", "c", "h", "cpp", "sh", "sql"),
}
# Box shows these (support, "File types supported in Box Content Preview"); the emulator does not.
_NOT_HERE = {
    *("doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "gdoc", "gsheet", "gslides", "boxnote"),
    *("tif", "tiff", "heic", "psd", "ai", "eps", "mp3", "m4a", "wav", "mp4", "mov", "avi", "mkv", "webm"),
}


def extension(name: str) -> str:
    return name.rpartition(".")[2] if "." in name else ""


def shown_as(name: str) -> Shown | None:
    """Tell how a file is previewed; None if Box has no preview for this kind either."""
    ending = extension(name).lower()
    if ending in _PICTURES:
        return "picture"
    if ending in _TEXTS:
        return "text"
    return "pdf" if ending == "pdf" else "not here" if ending in _NOT_HERE else None


def picture_type(content: bytes) -> str:
    """Return the type of a PNG or JPEG by how it begins; empty for all else."""
    return next((kind for start, kind in _STARTS.items() if content.startswith(start)), "")


def content_type(name: str) -> str:
    ending = extension(name).lower()
    guessed = "application/pdf" if ending == "pdf" else mimetypes.guess_type(name)[0]
    return _PICTURES.get(ending) or guessed or "application/octet-stream"
