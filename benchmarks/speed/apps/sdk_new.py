"""Box's SDK with a new client for each page, and the tokens in its own file storage."""

from __future__ import annotations

from box_sdk_gen import BoxClient, FileTokenStorage

from . import sdk
from .starter_pages import FOLDER


def storage_of(name: str) -> FileTokenStorage:
    return FileTokenStorage(str(FOLDER / name))


def client_for(name: str) -> BoxClient:
    return sdk.client_of(storage_of(name))


app = sdk.make(__name__, storage_of, client_for)
