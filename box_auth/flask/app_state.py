"""What the extension keeps with an app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import current_app

from ..errors import ConfigError
from ..flow import Flow
from .hooks import Hooks


@dataclass(frozen=True)
class AppState:
    """One app's part of the extension. ``opened`` is None while the settings are wrong."""

    hooks: Hooks
    after_login: str
    opened: Flow | None = None
    demo: bool = False
    folder: Path = Path()

    @property
    def flow(self) -> Flow:
        if self.opened is None:
            raise ConfigError(["The app cannot start with its settings; the terminal says why."])
        return self.opened

    @property
    def kept_in(self) -> str:
        """Where sign-ins are kept, in the words of the line that a start says."""
        return "Redis" if self.opened and self.opened.settings.redis_url else str(self.folder)


def app_state() -> AppState:
    """Return the state of the app that serves this request or command."""
    return cast(AppState, current_app.extensions["box_auth"])
