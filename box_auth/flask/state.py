"""What the extension keeps with an app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import current_app

from ..flow import Flow
from .hooks import Hooks


@dataclass(frozen=True)
class State:
    """One app's part of the extension. ``flow`` is None while the settings are wrong."""

    hooks: Hooks
    after_login: str
    flow: Flow | None = None
    demo: bool = False
    folder: Path = Path()

    @property
    def engine(self) -> Flow:
        assert self.flow is not None, "the settings are wrong; the app's pages say why"  # noqa: S101
        return self.flow


def state() -> State:
    """Return the state of the app that serves this request or command."""
    return cast(State, current_app.extensions["box_auth"])
