"""Secrets in a file each (`CLIENT_SECRET_FILE` and so on), as containers and service managers hand them over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .values import PLACEHOLDER

SECRETS = ("CLIENT_SECRET", "SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "REDIS_URL")
_LARGEST = 64 * 1024  # bytes


def with_secrets(values: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    """Return the values with those that stand in a file. What is wrong with one is told without what it holds."""
    read = dict(values)
    for name in SECRETS:
        path = values.get(f"{name}_FILE")
        if path and values.get(name):
            problems.append(f"{name} and {name}_FILE are both set: remove one of them.")
        elif path:
            wrong, text = _content(Path(path))
            read |= {} if wrong else {name: text}
            problems += [f"{name}_FILE: {wrong}"] if wrong else []
    return read


def _content(path: Path) -> tuple[str, str]:
    """Return what is wrong with a secret's file, or nothing, and its text without white space at the ends."""
    try:
        if not path.exists():
            return "there is no such file.", ""
        if not path.is_file():  # a pipe might never end
            return "it is no ordinary file.", ""
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError):
        return "the app's user may not read the file.", ""
    if len(data) > _LARGEST:
        return f"the file is larger than {_LARGEST // 1024} kB.", ""
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return "the file is not UTF-8 text.", ""
    return ("", text) if text and not PLACEHOLDER.fullmatch(text) else ("the file is empty, or a placeholder.", "")
