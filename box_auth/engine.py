"""Opens the engine for whatever has no layer of its own here: a script, a notebook, a cron job, another framework."""

from __future__ import annotations

from pathlib import Path

from . import config
from .config import Settings
from .flow import Flow
from .network import Network
from .stores import open_store

ROOT = Path(__file__).resolve().parent.parent  # where .env and the instance folder are


def open_flow(settings: Settings | None = None) -> Flow:
    """Return the engine under ``settings``, or those of `.env` and the environment. Make one for the whole process.

    It keeps tokens where the web app does. Raises `ConfigError` and `StoreUnavailable`.
    """
    settings = settings or config.parse(config.read(ROOT), ROOT / "instance")
    return Flow(settings, open_store(settings), Network(settings))
