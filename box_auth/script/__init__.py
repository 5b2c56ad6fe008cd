"""Sign in from a terminal: one local callback, then done."""

from ..logs import printable
from .sign_in import WAIT, Connection, connect, sign_in
from .terminal import run

__all__ = ["WAIT", "Connection", "connect", "printable", "run", "sign_in"]
