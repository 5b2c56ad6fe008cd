"""The token endpoints: an app's server trades codes and refresh tokens, and revokes."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from .apps import App
from .emulator import here
from .errors import ApiError, OAuthError
from .tokens import TokenPair

routes = Blueprint("oauth", __name__)

_CLIENT_CREDENTIALS = "client_credentials"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a name, not a token


@routes.post("/oauth2/token")
def token() -> Response:
    """Give a token pair for a code or a refresh token (OpenAPI, post_oauth2_token)."""
    emulator, grant = here(), request.form.get("grant_type", "")
    if grant == _TOKEN_EXCHANGE:
        raise ApiError(501, "The Box emulator does not downscope tokens.")
    if grant not in ("authorization_code", "refresh_token", _CLIENT_CREDENTIALS, _JWT):
        raise OAuthError("invalid_request", "Invalid grant_type parameter or parameter missing.")
    app, lifetime = _client(), emulator.options.access_token_lifetime
    if grant == "authorization_code":
        return _answer(emulator.tokens.redeem(app.client_id, _needed("code"), lifetime))
    if grant == "refresh_token":
        lenient = emulator.options.lenient_refresh
        return _answer(emulator.tokens.refresh(app.client_id, _needed("refresh_token"), lifetime, lenient))
    raise OAuthError("invalid_request", "The grant type is unauthorized for this client_id.")


@routes.post("/oauth2/revoke")
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


def _needed(name: str) -> str:
    value = request.form.get(name)
    if not value:
        raise OAuthError("invalid_request", f'Missing parameter: "{name}" is required')
    return value


def _answer(pair: TokenPair) -> Response:
    answer: dict[str, object] = {
        "access_token": pair.access_token,
        "expires_in": pair.expires_in,
        "restricted_to": [],
        "refresh_token": pair.refresh_token,
        "token_type": "bearer",
    }
    answer |= here().options.token_overrides
    response = jsonify({name: value for name, value in answer.items() if value is not None})
    response.headers["Cache-Control"] = "no-store"
    return response
