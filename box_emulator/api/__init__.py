"""The routes of the content API, one module for each noun. Importing this registers them all."""

from ..content import routes
from . import (
    avatars,
    chunks,
    comments,
    files,
    items,
    lists,
    representations,
    shared,
    uploads,
    users,
    versions,
    zip_downloads,
)

__all__ = [
    "avatars",
    "chunks",
    "comments",
    "files",
    "items",
    "lists",
    "representations",
    "routes",
    "shared",
    "uploads",
    "users",
    "versions",
    "zip_downloads",
]
