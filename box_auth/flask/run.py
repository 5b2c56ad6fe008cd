"""How the app is started: where `flask run` listens, what the terminal says about it, and which `.env` counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import click
from click.core import ParameterSource
from dotenv import dotenv_values, find_dotenv
from flask import Flask
from werkzeug.serving import is_running_from_reloader

from .. import config
from ..addresses import url_of
from ..config import Settings
from ..demo import say_start
from ..ports import obstacle
from ..problems import PROBLEMS
from .app_state import AppState


def listening_port() -> int | None:
    """Return the port that `flask run` was told to listen on, or None if it was not told or does not run.

    After a reload it is the port where it listens already: a new CALLBACK_PORT needs a new start.
    """
    run = _flask_run()
    is_fixed = run and (is_running_from_reloader() or not _is_default(run, "port"))
    return cast(int, run.params["port"]) if run and is_fixed else None


def listen_as_set(settings: Settings) -> None:
    """Start `flask run` over where the settings say, unless it listens there already or was told otherwise.

    It has read its options before it loads the app, so that only a new start, with other defaults, can change them.
    """
    run = _flask_run()
    if run is None or is_running_from_reloader():
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


def announce(app: Flask, settings: Settings, demo: bool, folder: Path) -> None:
    """Say in one line what a start of `flask run` comes to, or why it cannot listen."""
    run = _flask_run()
    if run is None or is_running_from_reloader():
        return
    host, port = run.params["host"], run.params["port"]
    check_address(host, port)
    say_start(demo, url_of(host, port), folder)


def check_address(host: str, port: int) -> None:
    """End a start that cannot listen there, and say what to change."""
    if code := obstacle(host, port):
        problem = PROBLEMS[code]
        on_a_mac = " On a Mac, that is likely AirPlay." if sys.platform == "darwin" and code == "port_taken" else ""
        sys.exit(f"{problem.happened} It is port {port} of {host}.{on_a_mac} {problem.todo} [{code}]")


def serve(app: Flask) -> None:
    """Serve ``app`` where the settings say."""
    state = cast(AppState, app.extensions["box_auth"])
    settings = state.opened.settings if state.opened else Settings("", "")
    host, port = settings.callback_hostname, settings.callback_port
    if not is_running_from_reloader():
        check_address(host, port)
    if state.opened and not is_running_from_reloader():
        say_start(state.demo, url_of(host, port), state.folder)
    app.run(host, port, load_dotenv=False)


def forget_other_dotenv() -> None:
    """Take back what `flask` put into the environment from a `.env` of a folder above the project, or beside it.

    It looks upward from the working folder until it finds one (`flask.cli.load_dotenv`), so that a project without a
    `.env` would run with somebody else's settings.
    """
    if click.get_current_context(silent=True) is None or os.environ.get("FLASK_SKIP_DOTENV"):
        return
    found = find_dotenv(usecwd=True)
    if not found or Path(found).resolve() == (config.ROOT / ".env").resolve():
        return
    values = dotenv_values(found)
    taken = [name for name in config.NAMES if values.get(name) and os.environ.get(name) == values[name]]
    for name in taken:
        del os.environ[name]
    if taken:
        print(f"Not used, because only the project's own .env counts: {found}", file=sys.stderr)  # noqa: T201


def _flask_run() -> click.Context | None:
    context = click.get_current_context(silent=True)
    return context if context and context.info_name == "run" and "port" in context.params else None


def _is_default(run: click.Context, option: str) -> bool:
    return run.get_parameter_source(option) == ParameterSource.DEFAULT
