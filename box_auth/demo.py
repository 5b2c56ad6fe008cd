"""The stand-in for Box that an app may bring until it has a Box app, and the line that says whether it plays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import private_files
from .errors import ConfigError

Demo = Callable[[Any, Path], Mapping[str, str]]
Beside = Callable[[Path], Mapping[str, str]]


def start(demo: Demo, app: Any, folder: Path) -> dict[str, str]:
    """Return the settings under which ``demo`` plays Box on the port of ``app``, with its data in ``folder``."""
    return {**start_beside(lambda place: demo(app, place), folder), "REDIRECT_URI": "/callback"}


def start_beside(demo: Beside, folder: Path) -> dict[str, str]:
    """Return the settings under which ``demo`` plays Box on a port of its own, with its data in ``folder``."""
    try:
        private_files.make_folder(folder)
    except OSError as error:
        words = f"The folder {folder} cannot be used ({error.strerror or error}): set INSTANCE_DIR to one that can."
        raise ConfigError([words]) from None
    try:
        return dict(demo(folder))
    except Exception as error:  # whatever a stand-in may raise: it is not ours to know
        raise ConfigError([f"The demo could not start: {error} Remove {folder} to start it over."]) from None


def say_start(demo: bool, address: str, folder: Path) -> None:
    """Print the one line that every start says; ``address`` is empty for what listens nowhere."""
    mode = "demo, with made-up users and files" if demo else "live, with Box"
    where = f"{address}, data in {folder}" if address else f"data in {folder}"
    print(f"{mode}: {where}", file=sys.stderr, flush=True)  # noqa: T201
