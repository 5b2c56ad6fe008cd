"""The stand-in for Box that an app may bring until it has a Box app, and the line that says whether it plays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import config, private_files
from .config import Settings
from .errors import ConfigError

Demo = Callable[[Any, Path], Mapping[str, str]]
Beside = Callable[[Path], Mapping[str, str]]
FOLDER = "demo"


def on_own_port(demo: Demo, app: Any) -> Beside:
    """Return ``demo`` as a stand-in whose pages are on the port of ``app``."""
    return lambda folder: {**demo(app, folder), "REDIRECT_URI": "/callback"}


def choose(
    values: Mapping[str, str], demo: Beside | None, listening_port: int | None = None, project: Path = config.ROOT
) -> tuple[Settings, Path, bool]:
    """Return the settings, the folder for what is kept, and whether ``demo`` plays Box, which it does where nothing in
    ``values`` speaks for a live app. Raises `ConfigError`."""
    folder = config.instance_folder(values, project)
    is_demo = demo is not None and config.is_demo(values)
    if demo and is_demo:
        folder = folder / FOLDER  # apart from what belongs to a real account
        values = {**values, **_start(demo, folder)}
    return config.parse(values, folder, listening_port, own_pages=is_demo), folder, is_demo


def say_start(demo: bool, address: str, folder: Path) -> None:
    """Print the one line that every start says; ``address`` is empty for what listens nowhere."""
    mode = "demo, with made-up users and files" if demo else "live, with Box"
    where = f"{address}, data in {folder}" if address else f"data in {folder}"
    print(f"{mode}: {where}", file=sys.stderr, flush=True)  # noqa: T201


def _start(demo: Beside, folder: Path) -> Mapping[str, str]:
    try:
        private_files.make_folder(folder)
    except OSError as error:
        words = f"The folder {FOLDER} in the instance folder cannot be used ({error.strerror}): set INSTANCE_DIR anew."
        raise ConfigError([words]) from None
    try:
        return demo(folder)
    except Exception as error:  # whatever a stand-in may raise: it is not ours to know
        remove = f"Remove its folder, {FOLDER} in the instance folder, to start it over."
        raise ConfigError([f"The demo could not start: {error} {remove}"]) from None
