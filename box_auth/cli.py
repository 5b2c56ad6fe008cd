"""The commands below `flask box`."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from .errors import BoxAuthError, ConfigError

box = AppGroup("box", help="Look after the connection to Box.")


@box.command("new-key")
def new_key() -> None:
    """Print a new key for TOKEN_ENCRYPTION_KEYS."""
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())


@box.command("rotate-keys")
def rotate_keys() -> None:
    """Write every stored token again, under the first key of TOKEN_ENCRYPTION_KEYS."""
    state = current_app.extensions.get("box_auth")
    try:
        if state is None:
            raise ConfigError(["The app cannot start with its settings; the lines above say why."])
        flow = state.flow
        if not flow.settings.token_encryption_keys:
            raise ConfigError(["TOKEN_ENCRYPTION_KEYS is not set, so there is no key to write with."])
        from .encryption import rotate

        click.echo(f"{rotate(flow.store)} stored sign-ins are now under the first key.")
    except BoxAuthError as error:
        raise click.ClickException(str(error)) from None
