"""The commands below `flask box`. They act for whoever signed in by script, as `main.py` does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click
from box_sdk_gen import BoxClient
from flask import current_app
from flask.cli import AppGroup

from ..errors import ConfigError
from ..logs import printable
from ..script.saved_user import SavedUser
from ..stores import open_store

_WAIT = 300.0  # seconds


commands = AppGroup()  # those of `group.box`


@commands.command()
@click.option("--wait", type=click.FloatRange(0, 600), default=_WAIT, help="Seconds to wait for an answer.")
def login(wait: float) -> None:
    """Sign in with Box in the browser."""
    from ..script.sign_in import sign_in

    saved = _saved_user()
    pages = current_app.wsgi_app if _state().demo else None
    record = sign_in(saved, wait=wait, pages=pages)
    click.echo(f"You are {printable(record.name)} ({printable(record.login)}).")


@commands.command()
def whoami() -> None:
    """Tell who is signed in, as Box says."""
    user = _client().users.get_user_me(fields=["name", "login"])
    click.echo(f"{printable(user.name)} ({printable(user.login)}), user {printable(user.id)}")


@commands.command("ls")
@click.argument("folder", default="0")
def ls(folder: str) -> None:
    """List a FOLDER by its id; without one, the root folder."""
    if not (folder.isascii() and folder.isdigit()):
        raise click.BadParameter("give the folder's id, the digits that its address at Box ends in.")
    for item in _items(_client(), folder):
        click.echo(f"{printable(item.type):8}  {printable(item.id):>15}  {printable(item.name)}")


@commands.command()
def logout() -> None:
    """Sign out: here, in every browser, and at Box."""
    record = _saved_user().end()
    click.echo(f"{printable(record.name)} is signed out, here and in every browser.")


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Look for whatever could keep people from signing in, and say how to fix it."""
    from .doctor import diagnose

    findings = diagnose()
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        colours = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "bright_black"}
        for finding in findings:
            state = click.style(f"{finding.state:4}", fg=colours[finding.state], bold=finding.state == "fail")
            click.echo(f"{state}  {finding.check:12}  {printable(finding.said)}", color=False if plain else None)
            if finding.code:
                click.echo(f"{'':20}→ {finding.todo} [{finding.code}]")
    if any(finding.state == "fail" for finding in findings):
        sys.exit(1)


@commands.command()
def setup() -> None:
    """Connect your Box app: ask for its id and secret, try them at Box, write .env."""
    from .setup import connect

    if not connect():
        sys.exit(1)


@commands.command("new-key")
def new_key() -> None:
    """Print a new key for TOKEN_ENCRYPTION_KEYS."""
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())


@commands.command("rotate-keys")
def rotate_keys() -> None:
    """Write every stored token again, under the first key of TOKEN_ENCRYPTION_KEYS."""
    settings = _saved_user().flow.settings
    if not settings.token_encryption_keys:
        raise ConfigError(["TOKEN_ENCRYPTION_KEYS is not set, so there is no key to write with."])
    from ..stores.encryption import rotate

    click.echo(f"{rotate(open_store(settings, trust_plain=True))} stored sign-ins are now under the first key.")


def _saved_user() -> SavedUser:
    state = _state()
    if state.opened is None:
        raise ConfigError(["The app cannot start with its settings; the lines above say why."])
    return SavedUser(state.flow, state.folder)


def _state() -> Any:
    return current_app.extensions["box_auth"]  # the extension's; its module stands above this one


def _client() -> BoxClient:
    saved = _saved_user()
    return saved.flow.client(saved.record())


def _items(client: BoxClient, folder: str) -> Iterator[Any]:
    """All items of a folder, asked for a thousand at a time (the most Box gives)."""
    marker: str | None = None
    while True:
        page = client.folders.get_folder_items(folder, usemarker=True, marker=marker, limit=1000, fields=["name"])
        yield from page.entries or []
        marker = page.next_marker
        if not marker:
            return
