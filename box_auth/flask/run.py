"""Has a plain `flask run` listen where CALLBACK_HOSTNAME and CALLBACK_PORT say."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import cast

import click
from click.core import ParameterSource

from ..config import Settings


def listening_port() -> int | None:
    """Return the port that `flask run` was told to listen on, or None if it was not told or does not run."""
    run = _flask_run()
    return cast(int, run.params["port"]) if run and not _is_default(run, "port") else None


def listen_as_set(settings: Settings) -> None:
    """Start `flask run` over where the settings say, unless it listens there already or was told otherwise.

    It has read its options before it loads the app, so that only a new start, with other defaults, can change them.
    """
    run = _flask_run()
    if run is None:
        return
    wanted = {"host": settings.callback_hostname, "port": settings.callback_port}
    moved = {name: value for name, value in wanted.items() if _is_default(run, name) and run.params[name] != value}
    if not moved:
        return
    os.environ.update({f"FLASK_RUN_{name.upper()}": str(value) for name, value in moved.items()})
    command = [sys.executable, *sys.orig_argv[1:]]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - the command that we are
    sys.exit(subprocess.call(command))  # noqa: S603


def _flask_run() -> click.Context | None:
    context = click.get_current_context(silent=True)
    return context if context and context.info_name == "run" and "port" in context.params else None


def _is_default(run: click.Context, option: str) -> bool:
    return run.get_parameter_source(option) == ParameterSource.DEFAULT
