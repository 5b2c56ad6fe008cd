"""A Box to hold in your hand: sign-in and the content API over HTTP, with switches for faults and time."""

from .apps import App
from .database import WrongDatabase
from .embedding import embed, stand_in
from .emulator import Emulator
from .items import Item
from .options import Options
from .seed_file import BadSeed, Seed
from .serving import Server, serve
from .tokens import TokenPair
from .users import User

__all__ = [
    "App",
    "BadSeed",
    "Emulator",
    "Item",
    "Options",
    "Seed",
    "Server",
    "TokenPair",
    "User",
    "WrongDatabase",
    "embed",
    "serve",
    "stand_in",
]
