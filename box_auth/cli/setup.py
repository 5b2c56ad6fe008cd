"""Connects a Box app from the terminal: asks for its id and secret, tries them at Box, and writes `.env`."""

from __future__ import annotations

import getpass
import os
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import click

from .. import config
from ..config import Settings
from ..errors import BoxAuthError, ConfigError
from ..logs import printable
from ..values import PLACEHOLDER
from . import reach
from .env_file import EnvFile

CONSOLE = "https://app.box.com/developers/console"
_FIT = re.compile(r"[!-~]+")
_UNFIT = re.compile(r"[\"'`\\$]")  # no id of Box's has them, and `.env` would read them in a way of its own


def connect(folder: Path = config.ROOT) -> bool:
    """Ask, try, write; return whether the app's id and secret are in `.env` now. Raises `BoxAuthError`."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BoxAuthError("no_terminal")
    file = EnvFile(folder)  # before the settings are read: of a pipe, that might never end
    found = config.read(folder)
    if "CLIENT_SECRET_FILE" in found:
        raise ConfigError(
            ["CLIENT_SECRET_FILE is set: put the secret into that file by hand, and CLIENT_ID into .env."]
        )
    others = {name: value for name, value in found.items() if not name.startswith("CLIENT_")}
    settings = _settings(others, "-", "-", folder)  # wrong ones are told before anybody types anything
    _say_what_to_do(settings)
    if file.is_link:
        click.echo("Your .env is a link; the file that it leads to is what changes.\n")
    if file.others_read():
        click.echo("Everybody on this machine can read your .env. To keep it to yourself: chmod 600 .env\n")
    wanted = {
        "CLIENT_ID": _ask_unless_kept(file, "CLIENT_ID", _type_openly),
        "CLIENT_SECRET": _ask_unless_kept(file, "CLIENT_SECRET", _type_unseen),
    }
    new = {name: value for name, value in wanted.items() if value != file.value(name)}
    good = _try_at_box(_settings(others, wanted["CLIENT_ID"], wanted["CLIENT_SECRET"], folder))
    if not new:
        click.echo("Your .env has these two values already; it stays as it is.")
        return good
    if not good and not _agreed("Write them to .env all the same?"):
        click.echo("Nothing was written.")
        return False
    file.write(new)
    what = (
        "made from .env.sample, for you alone to read" if file.is_new else "changed; all its other lines are as before"
    )
    click.echo(f"\nYour .env is {what}.")
    for name, value in wanted.items():
        if os.environ.get(name, value).strip() not in ("", value, file.value(name)):
            click.echo(f"But {name} is also set in the environment, which wins over .env: remove it there.")
    click.echo(f"The console must hold this redirect URI: {settings.redirect_uri}")
    click.echo("Start the app again, with “make run”, and sign in.")
    return True


def _say_what_to_do(settings: Settings) -> None:
    click.echo(f"Open your app in the Box developer console: {CONSOLE}")
    click.echo("(No app there yet? Create Platform App, Custom App, User Authentication (OAuth 2.0).)")
    click.echo("On its Configuration page, under OAuth 2.0 Redirect URI, paste this, and Save Changes:\n")
    click.echo(f"    {settings.redirect_uri}\n")
    click.echo(
        "Then copy the two values from the same page, one at a time. Ctrl-C stops; nothing is written before the end.\n"
    )


def _settings(others: dict[str, str], client_id: str, secret: str, folder: Path) -> Settings:
    return config.parse({**others, "CLIENT_ID": client_id, "CLIENT_SECRET": secret}, folder)


def _ask_unless_kept(file: EnvFile, name: str, ask: Callable[[str], str]) -> str:
    """Return the value to use: the one of `.env` if the person keeps it, or what they type."""
    kept = file.value(name)
    if kept and not _agreed(f"{name} is in your .env already. Replace it?"):
        return kept
    while True:
        value = _without_wrapping(ask(name), name)
        wrong = _wrong(value)
        if not wrong:
            return value
        click.echo(f"{wrong} Copy it once more from the Configuration page.")


def _without_wrapping(typed: str, name: str) -> str:
    """Take away what people copy along: blanks, the name of the setting, a pair of quotes."""
    value = re.sub(rf"^{name}\s*=\s*", "", typed.strip())
    return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _wrong(value: str) -> str:
    """Say what is wrong with a value, without the value: it may be the secret."""
    if not value:
        return "That was empty."
    if PLACEHOLDER.fullmatch(value):
        return "That is the placeholder of .env.sample."
    if not _FIT.fullmatch(value) or _UNFIT.search(value):
        return "There are blanks, quotes or other characters in it that Box's values do not have."
    return ""


def _type_openly(name: str) -> str:
    try:
        return input(f"{name}: ")
    except EOFError:  # Ctrl-D
        raise KeyboardInterrupt from None


def _type_unseen(name: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would go on, and show what is typed
            return getpass.getpass(f"{name} (not shown while you type or paste): ")
    except EOFError:
        raise KeyboardInterrupt from None
    except getpass.GetPassWarning:
        raise BoxAuthError("no_terminal") from None


def _agreed(question: str) -> bool:
    return _type_openly(f"{question} [y/N]").strip().lower() in ("y", "yes")


def _try_at_box(settings: Settings) -> bool:
    """Ask Box whether it knows the app, and say what came of it."""
    click.echo("\nAsking Box …")
    bad = [finding for finding in reach.check_box(settings) if finding.state in ("fail", "warn")]
    for finding in bad:
        click.echo(f"{printable(finding.said)}\n→ {finding.todo} [{finding.code}]")
    if any(finding.state == "fail" for finding in bad):
        return False
    click.echo("Box knows the app's id and secret.")
    return True
