"""The official SDK as a reader that misses nothing: every answer must be made of its own types."""

from __future__ import annotations

import datetime
import inspect
import io
from typing import Any

from box_sdk_gen import (
    BaseUrls,
    BoxAPIError,
    BoxClient,
    BoxDeveloperTokenAuth,
    BoxNetworkClient,
    BoxRetryStrategy,
    NetworkSession,
)
from box_sdk_gen.internal.base_object import BaseObject

# What the description lacks and Box UI Elements read.
_BEYOND = {"RecentItems": {"order"}}


class Sdk:
    """A client of which ``sdk.folders.create_folder(...)`` and all else gives checked answers."""

    def __init__(self, box: Any, http: Any, login: str) -> None:
        network = NetworkSession(
            network_client=BoxNetworkClient(http),
            base_urls=BaseUrls(base_url=box.url, upload_url=f"{box.url}/api", oauth_2_url=f"{box.url}/oauth2"),
            retry_strategy=BoxRetryStrategy(max_attempts=1),
        )
        self.token = box.emulator.sign_in(login).access_token
        self.client = BoxClient(BoxDeveloperTokenAuth(self.token), network_session=network)

    def __getattr__(self, name: str) -> Any:
        return _Manager(getattr(self.client, name))

    def upload(self, name: str, content: bytes = b"some bytes", parent: str = "0", **more: Any) -> Any:
        attributes = {"name": name, "parent": {"id": parent}}
        return self.uploads.upload_file(attributes, io.BytesIO(content), **more).entries[0]


class _Manager:
    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if arguments and isinstance(arguments[0], dict) and name.startswith("upload"):
                options["attributes"], arguments = arguments[0], arguments[1:]
                attributes = _attributes(getattr(self._manager, name), options.pop("attributes"))
                arguments = (attributes, *arguments)
            answer = getattr(self._manager, name)(*arguments, **options)
            assert_typed(answer)
            return answer

        return call


def refused(call: Any, *arguments: Any, **options: Any) -> tuple[int, str]:
    """Make a call that must fail, and return the status and the code of Box's error."""
    try:
        call(*arguments, **options)
    except BoxAPIError as error:
        return error.response_info.status_code, error.response_info.code
    raise AssertionError("This was not refused.")


def assert_typed(value: Any) -> None:
    """Everything below is an object of the SDK, and nothing came that the SDK has no name for."""
    if isinstance(value, BaseObject):
        known = set(inspect.signature(type(value).__init__).parameters) | {"_raw_data"}
        known |= _BEYOND.get(type(value).__name__, set())
        assert set(vars(value)) <= known, set(vars(value)) - known
        for part in (part for name, part in vars(value).items() if name not in ("_raw_data", "order")):
            assert_typed(part)
    elif isinstance(value, list):
        for part in value:
            assert_typed(part)
    else:
        plain = value is None or isinstance(value, str | int | float | bool | datetime.datetime)
        assert plain or hasattr(value, "read"), value


def _attributes(method: Any, given: dict[str, Any]) -> Any:
    from box_sdk_gen.managers import uploads

    if method.__name__ == "upload_file":
        parent = uploads.UploadFileAttributesParentField(id=given["parent"]["id"])
        return uploads.UploadFileAttributes(**given | {"parent": parent})
    return given
