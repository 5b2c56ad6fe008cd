"""`flask box`: the group whose commands are imported when one is asked for, and never by an app that serves pages."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup


class _Explained(AppGroup):
    """A group whose commands fail as scripts do: a few lines on what happened and what to do, and status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_commands().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _commands().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        from ..script.terminal import run

        status = run(lambda: super(_Explained, self).invoke(ctx))
        if status:
            ctx.exit(status)


box = _Explained("box", help="Sign in with Box, look around, and look after the connection.")


def _commands() -> AppGroup:
    from .commands import commands

    return commands
