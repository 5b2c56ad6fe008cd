"""The settings: read once from the environment and `.env`, every mistake reported together."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from .errors import ConfigError

NAMES = (
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CALLBACK_HOSTNAME",
    "CALLBACK_PORT",
    "REDIRECT_URI",
    "SECRET_KEY",
    "TOKEN_DIR",
    "TOKEN_ENCRYPTION_KEYS",
    "REDIS_URL",
    "TRUSTED_PROXIES",
    "BOX_API_URL",
    "BOX_UPLOAD_URL",
    "BOX_AUTHORIZE_URL",
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised in order to be translated, not bound
_PLACEHOLDER = ("YOUR_", "<")


@dataclass(frozen=True)
class Settings:
    """Everything the engine needs to know. URLs have no slash at the end; secrets stay out of ``repr``."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = "http://127.0.0.1:5000/callback"
    callback_hostname: str = "127.0.0.1"
    callback_port: int = 5000
    secret_key: str = field(default="", repr=False)
    token_dir: Path = Path("instance/tokens")
    token_encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    redis_url: str = field(default="", repr=False)
    trusted_proxies: int = 0
    box_api_url: str = "https://api.box.com"
    box_upload_url: str = "https://upload.box.com/api"
    box_authorize_url: str = "https://account.box.com/api/oauth2/authorize"


def read(folder: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the raw settings that are set: the environment's first, then those of ``folder/.env``.

    Placeholders (`YOUR_CLIENT_ID`) and empty values count as unset. A `.env` saved by Windows tools (byte-order
    mark, CRLF) reads like any other.
    """
    file = dotenv_values(folder / ".env", encoding="utf-8-sig")
    merged = {**file, **(os.environ if environ is None else environ)}
    values = {name: (merged.get(name) or "").strip() for name in NAMES}
    return {name: value for name, value in values.items() if value and not value.startswith(_PLACEHOLDER)}


def is_demo(values: Mapping[str, str]) -> bool:
    """Tell whether no Box app is configured at all. Half of one is a mistake, not a demo."""
    return not values.get("CLIENT_ID") and not values.get("CLIENT_SECRET")


def parse(values: Mapping[str, str], data: Path, listening_port: int | None = None) -> Settings:
    """Turn raw settings into `Settings`, or raise `ConfigError` naming every problem.

    ``data`` is the folder for what the app keeps; ``listening_port`` is where the server really listens, if the
    caller knows: it is the default for ``CALLBACK_PORT``, and Box's answer must arrive there.
    """
    problems: list[str] = []
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        if not values.get(name):
            problems.append(f"{name} is not set: copy it from your app's Configuration page at app.box.com/developers.")

    host = values.get("CALLBACK_HOSTNAME", "127.0.0.1")
    if "/" in host or " " in host:
        problems.append(f"CALLBACK_HOSTNAME is “{host}”: give a host name alone, such as 127.0.0.1.")
    redirect_uri = values.get("REDIRECT_URI", "")
    port = _number(values, "CALLBACK_PORT", listening_port or _loopback_port(redirect_uri) or 5000, 1, 65535, problems)
    if redirect_uri:
        problems += _redirect_problems(redirect_uri, values, port)
    else:
        if host not in LOOPBACK + _ANY_ADDRESS:
            problems.append(
                f"REDIRECT_URI is not set, and CALLBACK_HOSTNAME is {host}: away from localhost Box requires https, "
                f"so set REDIRECT_URI, for instance to https://{host}/callback."
            )
        redirect_uri = _loopback_redirect_uri(host, port)
        if listening_port and listening_port != port and not any("CALLBACK_PORT" in problem for problem in problems):
            problems.append(
                f"CALLBACK_PORT is {port}, but the app listens on port {listening_port}, so Box's answer would not "
                f"arrive: start it with “make run” or “flask run --port {port}”."
            )

    urls = {}
    for name in ("BOX_API_URL", "BOX_UPLOAD_URL", "BOX_AUTHORIZE_URL"):
        url = values.get(name, "").rstrip("/")
        own_page = name == "BOX_AUTHORIZE_URL" and url.startswith("/")  # the demo's, on the app's own port
        if url and not own_page and not _is_web_address(url):
            problems.append(f"{name} is “{url}”: it must be a full address that begins with https://.")
        if url:
            urls[name.lower()] = url

    keys = tuple(key.strip() for key in values.get("TOKEN_ENCRYPTION_KEYS", "").split(",") if key.strip())
    for number, key in enumerate(keys, 1):
        if not _is_fernet_key(key):
            problems.append(
                f"TOKEN_ENCRYPTION_KEYS: key {number} is not 32 bytes in base64; make one with "
                "“flask box new-key”, and separate several with commas."
            )
    redis_url = values.get("REDIS_URL", "")
    if redis_url and not _is_redis_address(redis_url):
        problems.append(
            "REDIS_URL is not an address of Redis: it looks like redis://:password@host:6379/0, or rediss:// for TLS."
        )

    trusted_proxies = _number(values, "TRUSTED_PROXIES", 0, 0, 10, problems)
    if problems:
        raise ConfigError(problems)
    return Settings(
        client_id=values["CLIENT_ID"],
        client_secret=values["CLIENT_SECRET"],
        redirect_uri=redirect_uri,
        callback_hostname=host,
        callback_port=port,
        secret_key=values.get("SECRET_KEY", ""),
        token_dir=data / Path(values.get("TOKEN_DIR", "tokens")).expanduser(),
        token_encryption_keys=keys,
        redis_url=redis_url,
        trusted_proxies=trusted_proxies,
        **urls,
    )


def default_redirect_uri(settings: Settings) -> str:
    """Return the redirect URI that a Box app needs for ``settings`` on this machine, to paste into Box's console."""
    return _loopback_redirect_uri(settings.callback_hostname, settings.callback_port)


def _loopback_redirect_uri(host: str, port: int) -> str:
    reachable = "127.0.0.1" if host in _ANY_ADDRESS else host
    return f"http://[{reachable}]:{port}/callback" if ":" in reachable else f"http://{reachable}:{port}/callback"


def _redirect_problems(uri: str, values: Mapping[str, str], port: int) -> list[str]:
    """Box's rules for redirect URIs: https, or http for loopback; matched exactly (guides, OAuth 2.0 setup)."""
    if uri == "/callback":  # the demo's: wherever the visitor is
        return []
    if not _is_web_address(uri):
        return [f"REDIRECT_URI is “{uri}”: it must be a full address, such as http://127.0.0.1:5000/callback."]
    parts = urlsplit(uri)
    problems = []
    if not parts.path.endswith("/callback") or parts.query or parts.fragment:
        problems.append(f"REDIRECT_URI is “{uri}”: its path must end in /callback, where this app listens.")
    if parts.hostname not in LOOPBACK:
        if parts.scheme != "https":
            problems.append(f"REDIRECT_URI is “{uri}”: away from localhost Box requires https.")
        return problems
    expected_host = values.get("CALLBACK_HOSTNAME", parts.hostname)
    if expected_host not in _ANY_ADDRESS and expected_host != parts.hostname:
        problems.append(
            f"REDIRECT_URI names the host {parts.hostname}, but CALLBACK_HOSTNAME is {expected_host}: to Box "
            "localhost and 127.0.0.1 are different, so make them the same, or remove one of the two lines."
        )
    if (parts.port or 80) != port:
        problems.append(
            f"REDIRECT_URI names port {parts.port or 80}, but the app is on port {port}: make CALLBACK_PORT the same."
        )
    return problems


def _loopback_port(uri: str) -> int | None:
    if not _is_web_address(uri):
        return None
    parts = urlsplit(uri)
    return parts.port if parts.hostname in LOOPBACK else None


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket left open
        return False


def _is_redis_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        numbered = not parts.path.strip("/") or parts.path.strip("/").isdigit()
        whole = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0 and numbered
        return (whole and not parts.query) or (parts.scheme == "unix" and bool(parts.path))
    except ValueError:
        return False


def _is_fernet_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except ValueError:  # also for text beyond ASCII
        return False


def _number(values: Mapping[str, str], name: str, default: int, low: int, high: int, problems: list[str]) -> int:
    text = values.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    problems.append(f"{name} is “{text}”: it must be a number from {low} to {high}.")
    return default
