"""What Box answers when it refuses: one shape for the API, another for OAuth."""

from __future__ import annotations

import json
import secrets
from typing import Any

from flask import Response
from werkzeug.http import HTTP_STATUS_CODES

REQUEST_ID = "BOX-REQUEST-ID"  # every answer of Box's has this header
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "precondition_failed",
    413: "request_entity_too_large",
    429: "rate_limit_exceeded",  # Box: guides, rate limits
    500: "internal_server_error",
    503: "unavailable",
}


# Box: guides, common errors. Where a message is ours, Box's words are not documented.
_REFUSALS: dict[str, tuple[int, str]] = {
    "bad_digest": (400, "The specified content-md5 did not match what we received"),
    "cyclical_folder_structure": (400, "Folder move creates cyclical folder structure"),
    "file_size_too_small": (400, "The file is too small for an upload in parts"),
    "folder_not_empty": (400, "Cannot delete - folder not empty"),
    "invalid_upload_session_id": (400, "The upload session ID provided in the URL is not of a valid format."),
    "item_name_invalid": (400, "Item name invalid"),
    "item_name_too_long": (400, "Item name too long"),
    "metadata_after_file_contents": (400, "Metadata is included after file contents in a file upload request."),
    "missing_parameter": (400, "Please provide at least the query or mdfilters parameter"),
    "zip_download_file_count_exceeded_limit": (400, "The archive would have too many files"),
    "zip_download_pre_compressed_bytes_exceeded_limit": (400, "The archive would be too large"),
    "requested_preview_unavailable": (400, "Requested preview unavailable"),
    "access_denied_insufficient_permissions": (403, "Access denied - insufficient permission"),
    "access_denied_item_locked": (403, "Access denied - item locked"),
    "file_size_limit_exceeded": (403, "File size exceeds the folder owner's file size limit"),
    "incorrect_shared_item_password": (403, "A password is needed for the shared item, and was missing or wrong"),
    "storage_limit_exceeded": (403, "Account storage limit reached"),
    "not_trashed": (404, "Item is not trashed"),
    "trashed": (404, "Item is trashed"),
    "item_name_in_use": (409, "Item with the same name already exists"),
    "user_login_already_used": (409, "User with the specified login already exists"),
    "session_expired": (410, "The upload session has expired"),
    "precondition_failed": (412, "The resource has been modified. Please retrieve the resource again and retry"),
    "unsupported_media_type": (415, "Box Embed does not support this type of file"),
    "range_overlaps_existing_range": (409, "The part overlaps one that was uploaded before"),
    "invalid_range": (416, "The content range does not fit the upload session"),
}


class ApiError(Exception):
    """An error of the content API (OpenAPI, ClientError)."""

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        code: str | None = None,
        context: dict[str, Any] | None = None,
        problems: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(message or (problems[0]["message"] if problems else ""))
        self.status = status
        self.message = message
        self.code = code
        self.context = {"errors": problems} if problems else context

    def response(self) -> Response:
        phrase = HTTP_STATUS_CODES.get(self.status, "Unknown")
        body = {
            "type": "error",
            "status": self.status,
            "code": self.code or _CODES.get(self.status, phrase.lower().replace(" ", "_")),
            "context_info": self.context,
            "help_url": "http://developers.box.com/docs/#errors",
            "message": self.message or phrase,
            "request_id": secrets.token_hex(8),
        }
        response = _json(body, self.status)
        response.headers[REQUEST_ID] = body["request_id"]
        return response


class OAuthError(Exception):
    """An error of the token endpoints (OpenAPI, OAuth2Error)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> Response:
        return _json({"error": self.error, "error_description": self.description}, self.status)


def refused(code: str, message: str = "", **context: Any) -> ApiError:
    """An error that Box has a code for."""
    status, words = _REFUSALS[code]
    return ApiError(status, message or words, code=code, context=context or None)


def bad_parameter(name: str, value: str, reason: str = "") -> ApiError:
    """400 for a parameter, in Box's words (box-windows-sdk-v2 #132)."""
    message = f"Invalid value '{value}'. {reason}".rstrip()
    return ApiError(400, problems=[{"reason": "invalid_parameter", "name": name, "message": message}])


def not_found(kind: str, item_id: str) -> ApiError:
    """404, also for what the user may not see (OpenAPI)."""
    message = f"Invalid value '{item_id}'. '{kind}' with value '{item_id}' not found"
    return ApiError(404, problems=[{"reason": "invalid_parameter", "name": kind, "message": message}])


def not_implemented(method: str, path: str) -> ApiError:
    """What the emulator leaves out. It is no 501, which SDKs try again and again."""
    return ApiError(404, f"The Box emulator does not serve {method} {path}.", code="not_implemented")


def unauthorized(*, token_given: bool) -> Response:
    """401 with an empty body: expired, revoked, unknown and missing look the same (box-node-sdk #157)."""
    return _challenge(401, "invalid_token", "The access token provided is invalid.") if token_given else _challenge(401)


def insufficient_scope() -> Response:
    """403 with an empty body, for a token that is not good for this (box-python-sdk #243; boxr #20)."""
    message = "The request requires higher privileges than provided by the access token."
    return _challenge(403, "insufficient_scope", message)


def too_many_requests(wait: int) -> Response:
    """429, with the seconds to wait (Box: guides, rate limits)."""
    response = ApiError(429, "Request rate limit exceeded, please try again later").response()
    response.headers["Retry-After"] = str(wait)
    return response


def _challenge(status: int, error: str = "", description: str = "") -> Response:
    challenge = 'Bearer realm="Service"'
    if error:
        challenge += f', error="{error}", error_description="{description}"'
    return Response(status=status, headers={"WWW-Authenticate": challenge})


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
