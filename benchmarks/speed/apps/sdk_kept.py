"""Box's SDK with a client that is kept in memory for each user, so that its connections are kept, too."""

from __future__ import annotations

from box_sdk_gen import BoxClient, FileWithInMemoryCacheTokenStorage

from . import sdk
from .starter_pages import FOLDER

clients: dict[str, BoxClient] = {}


def storage_of(name: str) -> FileWithInMemoryCacheTokenStorage:
    return FileWithInMemoryCacheTokenStorage(str(FOLDER / name))


def client_for(name: str) -> BoxClient:
    if name not in clients:
        clients[name] = sdk.client_of(storage_of(name))
    return clients[name]


app = sdk.make(__name__, storage_of, client_for)
