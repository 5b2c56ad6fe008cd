"""How the app is started: where `flask run` listens, what the terminal says about it, and which `.env` counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

import click
from click.core import ParameterSource
from dotenv import dotenv_values, find_dotenv
from flask import Flask
from flask.helpers import get_debug_flag
from werkzeug.serving import is_running_from_reloader

from .. import config
from ..addresses import ANY_ADDRESS, safe_to_show, url_of
from ..demo import say_start
from ..ports import obstacle
from ..problems import problems
from .app_state import AppState
from .stopping import finishing


def listening_port() -> int | None:
    """Return the port that `flask run` was told to listen on, or None if it was not told or does not run.

    After a reload it is the port where it listens already: a new CALLBACK_PORT needs a new start.
    """
    run = _flask_run()
    is_fixed = run and (is_running_from_reloader() or not _is_default(run, "port"))
    return cast(int, run.params["port"]) if run and is_fixed else None


def listen_as_set(host: str, port: int) -> None:
    """Restart `flask run` at this host and port, unless it listens there already or was told otherwise.

    It has read its options before it loads the app, so that only a new start, with other defaults, can change them.
    Where it cannot listen, the start ends, and says what to change.
    """
    run = _flask_run()
    if run is None or is_running_from_reloader():
        return
    wanted = {"host": host, "port": port}
    moved = {name: value for name, value in wanted.items() if _is_default(run, name) and run.params[name] != value}
    if not moved:
        check_address(run.params["host"], run.params["port"])
        return
    os.environ.update({f"FLASK_RUN_{name.upper()}": str(value) for name, value in moved.items()})
    _start_over()


def announce(app: Flask) -> None:
    """Say in one line what `flask run` starts, and where, and have it finish on SIGTERM what it has begun."""
    run = _flask_run()
    if run and not is_running_from_reloader():
        state = cast(AppState, app.extensions["box_auth"])
        say_start(state.demo, _place(run.params["host"], run.params["port"]), state.kept_in)
        if not (run.params.get("reload") or get_debug_flag()):  # the reloader has its own way
            run.with_resource(finishing(app))


def check_address(host: str, port: int) -> None:
    """End a start that cannot listen there, and say what to change."""
    if code := obstacle(host, port):
        problem = problems()[code]
        on_a_mac = " On a Mac, that is likely AirPlay." if sys.platform == "darwin" and code == "port_taken" else ""
        sys.exit(f"{problem.happened} It is port {port} of {safe_to_show(host)}.{on_a_mac} {problem.todo} [{code}]")


def serve(app: Flask) -> None:
    """Serve ``app`` where the settings say."""
    host, port = config.listening_address(config.read())
    if not is_running_from_reloader():
        check_address(host, port)
        state = cast(AppState, app.extensions["box_auth"])
        if state.opened:
            say_start(state.demo, _place(host, port), state.kept_in)
    with finishing(app):
        app.run(host, port, load_dotenv=False)


def forget_other_dotenv() -> None:
    """Start `flask` over without what it took from a `.env` or `.flaskenv` of a folder above the project, or beside it.

    It looks upward from the working folder until it finds one (`flask.cli.load_dotenv`), so that a project without a
    `.env` would run with somebody else's settings.
    """
    if click.get_current_context(silent=True) is None or os.environ.get("FLASK_SKIP_DOTENV"):
        return
    files = {Path(found) for name in (".flaskenv", ".env") if (found := find_dotenv(name, usecwd=True))}
    others = [file for file in files if file.resolve().parent != config.ROOT]
    if not others:
        return
    for file in others:
        for name, value in dotenv_values(file).items():
            if value is not None and os.environ.get(name) == value:
                del os.environ[name]
        print(f"Not used, because only the project's own .env counts: {file}", file=sys.stderr)  # noqa: T201
    for own in (config.ROOT / ".flaskenv", config.ROOT / ".env"):
        for name, value in dotenv_values(own).items():
            os.environ.setdefault(name, value or "")
    os.environ["FLASK_SKIP_DOTENV"] = "1"
    _start_over()


def _start_over() -> None:
    """Begin this command again, under the environment as it is now."""
    command = [sys.executable, *sys.orig_argv[1:]]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - the command that we are
    import subprocess  # where one program cannot become another

    sys.exit(subprocess.call(command))  # noqa: S603


def _place(host: str, port: int) -> str:
    return f"{url_of(host, port)} and every other address" if host in ANY_ADDRESS else url_of(host, port)


def _flask_run() -> click.Context | None:
    context = click.get_current_context(silent=True)
    return context if context and context.info_name == "run" and "port" in context.params else None


def _is_default(run: click.Context, option: str) -> bool:
    return run.get_parameter_source(option) == ParameterSource.DEFAULT
