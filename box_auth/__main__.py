"""Prints where the app should listen, as options for `flask run`: ``flask run $(python -m box_auth)``."""

from __future__ import annotations

from pathlib import Path

from . import config
from .errors import ConfigError

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent.parent
    values = {"CLIENT_ID": "demo", "CLIENT_SECRET": "demo", **config.read(folder)}
    try:
        settings = config.parse(values, folder)
        print(f"--host {settings.callback_hostname} --port {settings.callback_port}")  # noqa: T201
    except ConfigError:
        print()  # noqa: T201 - the app itself says what is wrong, on a page
