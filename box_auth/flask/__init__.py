"""The thin layer over Flask: ``BoxAuth(app)`` adds /login, /callback and /logout; pages ask it who is signed in."""

from .extension import BoxAuth
from .visitor import User

__all__ = ["BoxAuth", "User"]
