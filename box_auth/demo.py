"""The stand-in for Box that an app may bring until it has a Box app, and the line that says whether it plays."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import config, private_files
from .config import Settings
from .errors import ConfigError
from .json_lines import announce

Demo = Callable[[Any, Path], Mapping[str, str]] | str  # or where it is, as "module:name"
Beside = Callable[[Path], Mapping[str, str]]
FOLDER = "demo"


def on_own_port(demo: Demo | None, app: Any) -> Beside | None:
    """Return ``demo`` as a stand-in whose pages are on the port of ``app``; None if there is none.

    One that is named as "module:name" is imported when it begins to play, so that a live app never loads it; where the
    module was deleted, or left out of an image, there is no demo.
    """
    module, _, name = demo.partition(":") if isinstance(demo, str) else ("", "", "")
    if demo is None or (module and importlib.util.find_spec(module.split(".")[0]) is None):
        return None

    def begin(folder: Path) -> Mapping[str, str]:
        play = getattr(importlib.import_module(module), name) if isinstance(demo, str) else demo
        return {**play(app, folder), "REDIRECT_URI": "/callback"}

    return begin


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


def say_start(demo: bool, address: str, kept_in: Path | str) -> None:
    """Say the one line that every start says; ``address`` is empty for what listens nowhere."""
    mode = "demo, with made-up users and files" if demo else "live, with Box"
    where = f"{address}, data in {kept_in}" if address else f"data in {kept_in}"
    announce(f"{mode}: {where}")


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
