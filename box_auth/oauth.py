"""Box's OAuth endpoints: code for tokens, refresh, revoke, downscope. The one spot where its refusals become ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from box_sdk_gen import BoxAPIError, BoxClient, BoxDeveloperTokenAuth, NetworkSession
from box_sdk_gen.managers.authorization import (
    AuthorizationManager,
    RequestAccessTokenGrantType,
    RequestAccessTokenSubjectTokenType,
)
from box_sdk_gen.schemas import AccessToken, UserFull

from .config import Settings
from .errors import BoxAuthError, BoxUnavailable, SignInFailed, SignInRequired, StoreUnavailable
from .logs import printable
from .network.pool import Network
from .stores.base import check_id

_LONGEST = 24 * 3600.0  # Box's access tokens live about an hour; a longer claim is taken for a mistake


@dataclass(frozen=True)
class TokenPair:
    """One answer of Box's token endpoint. ``lifetime`` is in seconds, None if Box did not say anything usable."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: float | None


class OAuth:
    """Asks Box's OAuth endpoints, with this app's credentials in the body (Box refuses Basic: scribejava #842)."""

    def __init__(self, settings: Settings, network: Network) -> None:
        self._credentials: dict[str, Any] = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        self._network = network

    def exchange(self, code: str) -> TokenPair:
        """Turn a login code into tokens. Raises `SignInFailed` if Box refuses it, `BoxUnavailable` if Box is away."""
        return self._tokens(RequestAccessTokenGrantType.AUTHORIZATION_CODE, SignInFailed("code_refused"), code=code)

    def refresh(self, refresh_token: str) -> TokenPair:
        """Turn a refresh token into the next pair; sent once, and waited for longer than a page would. Raises
        `SignInRequired` if Box says it is over."""
        return self._tokens(
            RequestAccessTokenGrantType.REFRESH_TOKEN,
            SignInRequired("token_ended"),
            self._network.long_session,
            refresh_token=refresh_token,
        )

    def revoke(self, token: str) -> None:
        """End a token at Box, as far as Box will: whatever it answers, nobody can do more about it."""
        try:
            self._manager(self._network.short_session).revoke_access_token(**self._credentials, token=token)
        except (BoxAPIError, BoxAuthError):
            pass

    def downscope(self, access_token: str, scopes: list[str], resource: str | None, link: str | None) -> AccessToken:
        """Exchange an access token for one that can do less; it has no refresh token."""
        return self._manager().request_access_token(
            RequestAccessTokenGrantType.URN_IETF_PARAMS_OAUTH_GRANT_TYPE_TOKEN_EXCHANGE,
            subject_token=access_token,
            subject_token_type=RequestAccessTokenSubjectTokenType.URN_IETF_PARAMS_OAUTH_TOKEN_TYPE_ACCESS_TOKEN,
            resource=resource,
            scope=" ".join(scopes),
            box_shared_link=link,
        )

    def user_of(self, access_token: str) -> UserFull:
        """Ask Box whose token this is; name and login are texts of one line, empty where Box gives none."""
        client = BoxClient(auth=BoxDeveloperTokenAuth(access_token), network_session=self._network.session)
        try:
            user = client.users.get_user_me(fields=["name", "login"])
            check_id(user.id)
            user.name, user.login = (
                printable(text) if isinstance(text, str) else "" for text in (user.name, user.login)
            )
        except BoxAPIError:
            raise SignInFailed("token_refused") from None
        except (TypeError, KeyError, ValueError, AttributeError, StoreUnavailable):  # JSON, but not a user
            raise BoxUnavailable("box_bad_answer") from None
        return user

    def _tokens(
        self,
        grant_type: RequestAccessTokenGrantType,
        refused: BoxAuthError,
        session: NetworkSession | None = None,
        **proof: Any,
    ) -> TokenPair:
        try:
            answer = self._manager(session).request_access_token(grant_type, **self._credentials, **proof)
        except BoxAPIError as error:
            raise _named(error, refused) from None  # the SDK's error quotes the request, secrets and all
        if not (isinstance(answer.access_token, str) and isinstance(answer.refresh_token, str)):
            raise BoxUnavailable("box_bad_answer")
        return TokenPair(answer.access_token, answer.refresh_token, usable_lifetime(answer.expires_in))

    def _manager(self, session: NetworkSession | None = None) -> AuthorizationManager:
        return AuthorizationManager(network_session=session or self._network.session)


def usable_lifetime(expires_in: object) -> float | None:
    """Read Box's ``expires_in`` (seconds): None if it is missing, not a number, not positive or beyond a day."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float, str)):
        return None
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds <= _LONGEST else None


def _named(error: BoxAPIError, refused: BoxAuthError) -> BoxAuthError:
    """Name a refusal by ``error`` and ``error_description``, which the SDK does not read (box-facts: python #730)."""
    body: Any = error.response_info.body
    body = body if isinstance(body, dict) else {}
    name, words = str(body.get("error", ""))[:100], str(body.get("error_description", ""))[:300]
    if name == "invalid_grant":
        return refused
    if name in ("invalid_client", "unauthorized_client"):
        return SignInFailed("client_refused", f"Box says: {words or name}")
    if name == "invalid_request" and "grant type" in words.lower():
        return SignInFailed("wrong_app_type", f"Box says: {words}")
    if name == "invalid_request" and "grant_type" in words:
        return BoxUnavailable("wrong_box_host", f"Box says: {words}")
    return BoxUnavailable("box_refused", f"Box says: {words or name}" if name else "")
