"""The stand-in for Box that an app may bring, for as long as it has no Box app of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import private_files
from .errors import ConfigError

Demo = Callable[[Any, Path], Mapping[str, str]]


def start(demo: Demo, app: Any, folder: Path) -> dict[str, str]:
    """Return the settings under which ``demo`` plays Box for ``app``, with its data in ``folder``."""
    try:
        private_files.make_folder(folder)
    except OSError as error:
        words = f"The folder {folder} cannot be used ({error.strerror or error}): set INSTANCE_DIR to one that can."
        raise ConfigError([words]) from None
    try:
        return {**demo(app, folder), "REDIRECT_URI": "/callback"}
    except Exception as error:  # whatever a stand-in may raise: it is not ours to know
        raise ConfigError([f"The demo could not start: {error} Remove {folder} to start it over."]) from None
