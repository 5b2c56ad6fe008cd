"""What Box answers when it refuses: one shape for the API, another for OAuth."""

from __future__ import annotations

import json
import secrets
from typing import Any

from flask import Response
from werkzeug.http import HTTP_STATUS_CODES

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "precondition_failed",
    429: "rate_limit_exceeded",  # Box: guides, rate limits
    500: "internal_server_error",
    501: "not_implemented",  # ours: what the emulator leaves out
    503: "unavailable",
}


class ApiError(Exception):
    """An error of the content API (OpenAPI, ClientError)."""

    def __init__(self, status: int, message: str = "", *, problems: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems

    def response(self) -> Response:
        phrase = HTTP_STATUS_CODES.get(self.status, "Unknown")
        context: dict[str, Any] | None = {"errors": self.problems} if self.problems else None
        body = {
            "type": "error",
            "status": self.status,
            "code": _CODES.get(self.status, phrase.lower().replace(" ", "_")),
            "context_info": context,
            "help_url": "http://developers.box.com/docs/#errors",
            "message": self.message or phrase,
            "request_id": secrets.token_hex(8),
        }
        return _json(body, self.status)


class OAuthError(Exception):
    """An error of the token endpoints; all are 400 (OpenAPI, OAuth2Error)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    def response(self) -> Response:
        return _json({"error": self.error, "error_description": self.description}, 400)


def bad_parameter(name: str, value: str, reason: str = "") -> ApiError:
    """400 for a parameter, in Box's words (box-windows-sdk-v2 #132)."""
    message = f"Invalid value '{value}'. {reason}".rstrip()
    return ApiError(400, problems=[{"reason": "invalid_parameter", "name": name, "message": message}])


def not_found(kind: str, item_id: str) -> ApiError:
    """404, also for what the user may not see (OpenAPI)."""
    message = f"Invalid value '{item_id}'. '{kind}' with value '{item_id}' not found"
    return ApiError(404, problems=[{"reason": "invalid_parameter", "name": kind, "message": message}])


def not_implemented(method: str, path: str) -> ApiError:
    return ApiError(501, f"The Box emulator does not serve {method} {path}.")


def unauthorized(*, token_given: bool) -> Response:
    """401 with an empty body: expired, revoked, unknown and missing look the same (box-node-sdk #157)."""
    challenge = 'Bearer realm="Service"'
    if token_given:
        challenge += ', error="invalid_token", error_description="The access token provided is invalid."'
    return Response(status=401, headers={"WWW-Authenticate": challenge})


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
