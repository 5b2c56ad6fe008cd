"""A call to Box for one user: take a token, send, and after a 401 take a new one and send once more."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable
from typing import Any, cast

from box_sdk_gen import BoxAPIError, BoxClient, BoxDeveloperTokenAuth, NetworkSession
from box_sdk_gen.networking import NetworkClient
from box_sdk_gen.networking.auth import Authentication
from box_sdk_gen.networking.fetch_options import FetchOptions, ResponseFormat
from box_sdk_gen.networking.fetch_response import FetchResponse
from box_sdk_gen.schemas import AccessToken

from .errors import SignInRequired
from .network.body import RequestBody
from .network.pool import Network
from .network.retries import BUDGET
from .oauth import OAuth
from .refresh import Refresher
from .stores.record import TokenRecord

_PATH = re.compile(r"(/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:-]+)+")


def user_client(
    record: TokenRecord, refresher: Refresher, oauth: OAuth, network: Network, forget: Callable[[], None]
) -> BoxClient:
    """Return an SDK client that acts for the record's user; cheap to make, so make one a request.

    ``forget`` signs the user out, which is what the SDK's `revoke_token` comes to here.
    """
    token = UserToken(record, refresher)
    session = network.session.with_network_client(UserCalls(token, network))
    return BoxClient(auth=_UserAuth(token, oauth, forget), network_session=session)


def get(client: BoxClient, path: str, **query: object) -> dict[str, Any]:
    """Return Box's answer to ``GET path`` as plain dicts and lists; see `send`."""
    return send(client, "GET", path, **cast(dict[str, Any], query))


def send(
    client: BoxClient, method: str, path: str, json: object = None, *, if_match: str = "", **query: object
) -> dict[str, Any]:
    """Call any path of Box's API with the client's token, retries and errors; return the answer as plain dicts.

    ``path`` is what Box's reference has behind ``/2.0``. With ``if_match``, an item's ``etag``, Box refuses where the
    item has changed since (412). In the query, lists are joined by commas, as ``fields`` wants them, and None is left
    out. Raises `ValueError` for a path that is not plain: an id in it may have come from a visitor.
    """
    if not _PATH.fullmatch(path):
        raise ValueError("The path has to be plain segments, such as /folders/0/items.")
    options = FetchOptions(
        f"{client.network_session.base_urls.base_url}/2.0{path}",
        method,
        params={name: _parameter(value) for name, value in query.items() if value is not None},
        headers={"If-Match": if_match} if if_match else None,
        data=cast(Any, json),
        response_format=ResponseFormat.NO_CONTENT if method == "DELETE" else ResponseFormat.JSON,
    )
    return cast(dict[str, Any], client.make_request(options).data or {})


class UserToken:
    """One user's access token as it is needed. It starts from a record that was just loaded, and asks no store for
    as long as that is fresh."""

    def __init__(self, record: TokenRecord, refresher: Refresher) -> None:
        self._record, self._refresher = record, refresher

    def take(self, refused_token: str = "", *, must_be_fresh: bool = False) -> str:
        """Return a usable token, another one than ``refused_token``; with ``must_be_fresh`` never one about to end.
        Raises what `Refresher.renew` does."""
        if refused_token or not self._record.is_fresh(self._refresher.clock()):
            self._record = self._refresher.renew(self._record, refused_token, must_be_fresh=must_be_fresh)
        return self._record.access_token


class UserCalls(NetworkClient):
    """Sends the SDK's requests as one user. Raises `SignInRequired` when Box refuses a token that is new."""

    def __init__(self, token: UserToken, network: Network) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._token, self._network = token, network

    def fetch(self, options: FetchOptions) -> FetchResponse:
        client = self._network.client
        if options.auth is None:  # an address that needs no token, such as a download's
            return client.fetch(options)
        body = RequestBody(options)
        options = body.options
        # What can be sent only once is not risked with a token that may end on the way; nothing of it is read before.
        token = self._token.take(must_be_fresh=not body.rewindable)
        deadline = time.monotonic() + BUDGET
        try:
            return client.fetch_by(deadline, _with_token(options, token))
        except BoxAPIError as error:
            if error.response_info.status_code != 401:
                raise
            refused_at = time.monotonic()
            token = self._token.take(refused_token=token)
            deadline += time.monotonic() - refused_at  # a refresh has time limits of its own
            if not body.rewindable:  # part of it is gone; but whoever tries again has a new token
                raise
        body.rewind()
        try:
            return client.fetch_by(deadline, _with_token(options, token))
        except BoxAPIError as error:
            if error.response_info.status_code == 401:
                raise SignInRequired("token_refused") from None
            raise


class _UserAuth(Authentication):
    """What the SDK's client asks of an authentication, apart from its calls, which `UserCalls` sends."""

    def __init__(self, token: UserToken, oauth: OAuth, forget: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._token, self._oauth, self._forget = token, oauth, forget

    def retrieve_token(self, *, network_session: NetworkSession | None = None) -> AccessToken:
        return AccessToken(access_token=self._token.take())

    def retrieve_authorization_header(self, *, network_session: NetworkSession | None = None) -> str:
        return f"Bearer {self._token.take()}"

    def refresh_token(self, *, network_session: NetworkSession | None = None) -> AccessToken:
        return AccessToken(access_token=self._token.take(refused_token=self._token.take()))

    def revoke_token(self, *, network_session: NetworkSession | None = None) -> None:
        self._forget()

    def downscope_token(
        self,
        scopes: list[str],
        *,
        resource: str | None = None,
        shared_link: str | None = None,
        network_session: NetworkSession | None = None,
    ) -> AccessToken:
        return self._oauth.downscope(self._token.take(), scopes, resource, shared_link)


def _parameter(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with_token(options: FetchOptions, token: str) -> FetchOptions:
    authorized = copy.copy(options)
    authorized.auth = BoxDeveloperTokenAuth(token)
    return authorized
