"""The settings: read once from the environment and `.env`, every mistake reported together."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from .addresses import (
    ANY_ADDRESS,
    LOOPBACK,
    is_web_address,
    loopback_port,
    loopback_redirect_uri,
    redirect_problems,
    redis_mistakes,
    safe_to_show,
)
from .errors import ConfigError
from .secret_files import SECRETS as SECRETS
from .secret_files import with_secrets
from .values import PLACEHOLDER, fernet_keys, host_names, number, path

ROOT = Path(__file__).resolve().parent.parent  # the project: where .env is, and the instance folder

NAMES = (
    *("CLIENT_ID", "CLIENT_SECRET", "CALLBACK_HOSTNAME", "CALLBACK_PORT", "REDIRECT_URI"),  # the article's
    *("PORT", "INSTANCE_DIR", "SECRET_KEY", "TOKEN_DIR", "TOKEN_ENCRYPTION_KEYS", "REDIS_URL", "REDIS_PREFIX"),
    *("TRUSTED_PROXIES", "TRUSTED_HOSTS", "LOG_FORMAT", "LOG_HASH_USERS"),
    *("BOX_API_URL", "BOX_UPLOAD_URL", "BOX_AUTHORIZE_URL"),
    *(f"{name}_FILE" for name in SECRETS),
)


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
    redis_prefix: str = "box"
    trusted_proxies: int = 0
    trusted_hosts: tuple[str, ...] = ()
    log_format: str = "text"
    log_hash_users: bool = False
    box_api_url: str = "https://api.box.com"
    box_upload_url: str = "https://upload.box.com/api"
    box_authorize_url: str = "https://account.box.com/api/oauth2/authorize"


def read(folder: Path = ROOT, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the raw settings that are set: the environment's first, then those of ``folder/.env``.

    Placeholders (`YOUR_CLIENT_ID`) and empty values count as unset. A `.env` saved by Windows tools (byte-order
    mark, CRLF) reads like any other; a pipe, or one that is not UTF-8, raises `ConfigError`. No other is ever read.
    Files that settings name (`CLIENT_SECRET_FILE`) are read by `parse`; relative paths are taken from ``folder`` here.
    """
    if (folder / ".env").is_fifo():
        raise ConfigError(["The file .env is a pipe, on which the app might wait for ever: save it as a file."])
    try:
        file = dotenv_values(folder / ".env", encoding="utf-8-sig")
    except (OSError, ValueError):  # no UTF-8, or what Windows calls Unicode
        raise ConfigError(["The file .env cannot be read: save it as UTF-8 text the app's user may read."]) from None
    merged = {**file, **(os.environ if environ is None else environ)}
    values = {name: (merged.get(name) or "").strip() for name in NAMES}
    found = {name: value for name, value in values.items() if value and not PLACEHOLDER.fullmatch(value)}
    paths = {name: str(folder / value) for name, value in found.items() if name.endswith("_FILE")}
    return {**found, **paths}


def is_set(values: Mapping[str, str], name: str) -> bool:
    """Tell whether a setting has a value, or a file that is to hold it."""
    return bool(values.get(name) or values.get(f"{name}_FILE"))


def instance_folder(values: Mapping[str, str], folder: Path = ROOT) -> Path:
    """Return the folder for what the app keeps, for every door: ``INSTANCE_DIR``, or ``instance`` in the project."""
    return folder / path("INSTANCE_DIR", values.get("INSTANCE_DIR", "instance"))


def listening_address(values: Mapping[str, str]) -> tuple[str, int]:
    """Return the host and port to listen on, as far as the settings say anything usable; `parse` names the rest."""
    host = values.get("CALLBACK_HOSTNAME", "127.0.0.1")
    port = number(values, "CALLBACK_PORT", loopback_port(values.get("REDIRECT_URI", "")) or 5000, 1, 65535, [])
    return "127.0.0.1" if "/" in host or " " in host else host, port


def serving_address(values: Mapping[str, str]) -> tuple[str, int]:
    """Return the host and port for a server that others reach, gunicorn: on every address where `PORT` is set, as
    platforms do, unless ``CALLBACK_HOSTNAME`` says otherwise; else as `listening_address`. Raises `ConfigError`."""
    if not values.get("PORT"):
        return listening_address(values)
    problems: list[str] = []
    port = number(values, "PORT", 0, 1, 65535, problems)
    if problems:
        raise ConfigError(problems)
    everywhere = "0.0.0.0"  # noqa: S104
    return listening_address({**values, "CALLBACK_HOSTNAME": values.get("CALLBACK_HOSTNAME") or everywhere})[0], port


def live_signs(values: Mapping[str, str]) -> list[str]:
    """Return the names of the settings that only a live app needs: with any of them there is no demo."""
    names = ("CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI", "REDIS_URL", "TRUSTED_PROXIES")
    return [name for name in names if is_set(values, name) and values.get(name) != "0"]


def is_demo(values: Mapping[str, str]) -> bool:
    """Tell whether nothing speaks for a live app. Half a live app's settings are a mistake, not a demo."""
    return not live_signs(values)


def parse(
    values: Mapping[str, str], data: Path, listening_port: int | None = None, *, own_pages: bool = False
) -> Settings:
    """Turn raw settings into `Settings`, or raise `ConfigError` naming every problem, and no value that could be a
    password, or one that was pasted into another line.

    ``data`` is the folder for what the app keeps; ``listening_port`` is where the server really listens, if the
    caller knows: it is the default for ``CALLBACK_PORT``, and Box's answer must arrive there. With ``own_pages`` a
    stand-in plays Box on the app's own port: its addresses may be paths, wherever the visitor sees the app.
    """
    problems: list[str] = []
    values = with_secrets(values, problems)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        if not is_set(values, name):
            others = [sign for sign in live_signs(values) if not sign.startswith("CLIENT")]
            why = f", and with {others[0]} set the app is no demo" if others else ""
            problems.append(
                f"{name} is not set{why}: copy it from your app's Configuration page at app.box.com/developers."
            )
    host = values.get("CALLBACK_HOSTNAME", "127.0.0.1")
    if "/" in host or " " in host:
        problems.append("CALLBACK_HOSTNAME must be a host name alone, such as 127.0.0.1.")
    token_dir = path("TOKEN_DIR", values.get("TOKEN_DIR", "tokens"))
    trusted_proxies = number(values, "TRUSTED_PROXIES", 0, 0, 10, problems)
    redirect_uri = values.get("REDIRECT_URI", "")
    port = number(values, "CALLBACK_PORT", listening_port or loopback_port(redirect_uri) or 5000, 1, 65535, problems)
    if redirect_uri and not own_pages:
        problems += redirect_problems(redirect_uri, values.get("CALLBACK_HOSTNAME"), port, trusted_proxies)
    if not redirect_uri:
        if host not in LOOPBACK + ANY_ADDRESS:
            problems.append(
                f"REDIRECT_URI is not set, and CALLBACK_HOSTNAME is {safe_to_show(host)}: away from localhost Box "
                "requires https, so set REDIRECT_URI, for instance to https://files.example.com/callback."
            )
        redirect_uri = loopback_redirect_uri(host, port)
        if listening_port and listening_port != port and not any("CALLBACK_PORT" in problem for problem in problems):
            problems.append(
                f"CALLBACK_PORT is {port}, but the app listens on port {listening_port}, so Box's answer would not "
                f"arrive: start it with “make run” or “.venv/bin/flask run --port {port}”."
            )

    trusted_hosts = host_names(values.get("TRUSTED_HOSTS", ""), "" if own_pages else redirect_uri, problems)
    addresses = {name: values.get(name, "").rstrip("/") for name in NAMES if re.fullmatch("BOX_.*_URL", name)}
    for name in [name for name, url in addresses.items() if url and not own_pages and not is_web_address(url)]:
        problems.append(f"{name} must be a full address that begins with https://, without user name and password.")
    keys = fernet_keys(values.get("TOKEN_ENCRYPTION_KEYS", ""), problems)
    redis_url = values.get("REDIS_URL", "")
    problems += redis_mistakes(redis_url) if redis_url else []
    log_format = values.get("LOG_FORMAT", "text")
    if log_format not in ("text", "json"):
        problems.append("LOG_FORMAT must be text or json.")
    hash_users = number(values, "LOG_HASH_USERS", 0, 0, 1, problems)
    prefix = values.get("REDIS_PREFIX", "box")
    if not re.fullmatch(r"[\w.:-]{1,64}", prefix, re.ASCII):
        problems.append("REDIS_PREFIX is not a word of letters, digits and - _ . : that keys can begin with.")
    if problems:
        raise ConfigError(problems)
    return Settings(
        client_id=values["CLIENT_ID"],
        client_secret=values["CLIENT_SECRET"],
        redirect_uri=redirect_uri,
        callback_hostname=host,
        callback_port=port,
        secret_key=values.get("SECRET_KEY", ""),
        token_dir=data / token_dir,
        token_encryption_keys=keys,
        redis_url=redis_url,
        redis_prefix=prefix,
        trusted_proxies=trusted_proxies,
        trusted_hosts=trusted_hosts,
        log_format=log_format,
        log_hash_users=bool(hash_users),
        **{name.lower(): url for name, url in addresses.items() if url},
    )
