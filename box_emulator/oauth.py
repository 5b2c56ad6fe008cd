"""The token endpoints: an app's server trades what it has for tokens, and revokes them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from .apps import App
from .downscoping import exchange
from .emulator import Emulator, here
from .errors import OAuthError
from .forms import ENTERPRISE
from .tokens import Grant, TokenPair
from .users import SERVICE_ACCOUNT, User

routes = Blueprint("oauth", __name__)

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name, not a token


@routes.post("/oauth2/token")
@routes.post("/api/oauth2/token")  # where it once was, and some clients still are
def token() -> Response:
    """Give tokens for a code, a refresh token, an access token, or the app's own word (OpenAPI, post_oauth2_token)."""
    emulator, grant = here(), request.form.get("grant_type", "")
    lifetime = emulator.options.access_token_lifetime
    if grant == _TOKEN_EXCHANGE:
        return _answer(**exchange(emulator, request.form))
    if grant not in ("authorization_code", "refresh_token", "client_credentials", _JWT):
        raise OAuthError("invalid_request", "Invalid grant_type parameter or parameter missing.")
    app = _client()
    if grant == "authorization_code":
        with emulator.database.transaction():
            granted = emulator.codes.redeem(app.client_id, _needed("code"))
            return _pair(emulator.tokens.issue(granted, lifetime))
    if grant == "refresh_token":
        lenient = emulator.options.lenient_refresh
        return _pair(emulator.tokens.refresh(app.client_id, _needed("refresh_token"), lifetime, lenient))
    if grant == "client_credentials":
        granted = Grant(app.client_id, _subject(emulator, app))
        return _answer(access_token=emulator.tokens.issue_access(granted, lifetime), expires_in=lifetime)
    raise OAuthError("invalid_request", "The grant type is unauthorized for this client_id.")


@routes.post("/oauth2/revoke")
@routes.post("/api/oauth2/revoke")
def revoke() -> Response:
    """End the pair a token belongs to. An unknown token is no error, by RFC 7009; Box's answer is not documented."""
    here().tokens.revoke(_client().client_id, _needed("token"))
    return Response(status=200)


def _client() -> App:
    """Box: the credentials are in the body; HTTP Basic is not understood (scribejava #842)."""
    app = here().apps.get(request.form.get("client_id", ""))
    if app is None or not app.knows_secret(request.form.get("client_secret", "")):
        raise OAuthError("invalid_client", "The client credentials are invalid")
    return app


def _subject(emulator: Emulator, app: App) -> str:
    """Return the id of the user that the app wants to be: any, or its own service account (OpenAPI)."""
    kind, subject = _needed("box_subject_type"), _needed("box_subject_id")
    if kind == "user" and emulator.users.get(subject):
        return subject
    if kind == "enterprise" and subject == ENTERPRISE["id"]:
        return _service_account(emulator, app).id
    raise OAuthError("invalid_grant", "Grant credentials are invalid")  # box-python-sdk-gen #220


def _service_account(emulator: Emulator, app: App) -> User:
    """Return the user that an app is when it acts for itself (Box: guides, user types); made when first needed."""
    login = f"{SERVICE_ACCOUNT}{app.client_id}@boxdevedition.com"
    with emulator.database.transaction():
        try:
            return emulator.users.named(login)
        except KeyError:
            return emulator.add_user(app.name, login)


def _needed(name: str) -> str:
    value = request.form.get(name)
    if not value:
        raise OAuthError("invalid_request", f'Missing parameter: "{name}" is required')
    return value


def _pair(pair: TokenPair) -> Response:
    return _answer(access_token=pair.access_token, expires_in=pair.expires_in, refresh_token=pair.refresh_token)


def _answer(**parts: object) -> Response:
    answer = {"token_type": "bearer", "restricted_to": [], **parts} | here().options.token_overrides
    response = jsonify({name: value for name, value in answer.items() if value is not None})
    response.headers["Cache-Control"] = "no-store"
    return response
