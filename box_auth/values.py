"""What the text of one setting means: a number, a path, host names, keys. A mistake names the setting, not the text."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .errors import ConfigError

PLACEHOLDER = re.compile(r"YOUR_[A-Z_]+|<.*>")


def number(values: Mapping[str, str], name: str, default: int, low: int, high: int, problems: list[str]) -> int:
    text = values.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    problems.append(f"{name} must be a number from {low} to {high}.")
    return default


def path(name: str, text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~nobody
        raise ConfigError([f"{name} begins with the home of a user who is not on this machine."]) from None


def host_names(text: str, redirect_uri: str, problems: list[str]) -> tuple[str, ...]:
    """Return the names in a list with commas. Box sends people back to ``redirect_uri``, so its host must be one."""
    hosts = tuple(host.strip().lower() for host in text.split(",") if host.strip())
    if not all(re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*", host) for host in hosts):
        problems.append("TRUSTED_HOSTS must be host names with commas, without ports, such as files.example.com.")
    elif hosts and redirect_uri and not problems:
        own = urlsplit(redirect_uri).hostname or ""
        if not any(own == host or (host.startswith(".") and f".{own}".endswith(host)) for host in hosts):
            problems.append("TRUSTED_HOSTS leaves out the host of REDIRECT_URI, where Box sends people back to.")
    return hosts


def fernet_keys(text: str, problems: list[str]) -> tuple[str, ...]:
    """Return the keys in a list with commas."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for position, key in enumerate(keys, 1):
        if not _is_fernet_key(key):
            problems.append(
                f"TOKEN_ENCRYPTION_KEYS: key {position} is not 32 bytes in base64; make one with "
                "“.venv/bin/flask box new-key”, and separate several with commas."
            )
    return keys


def _is_fernet_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except ValueError:  # also for text beyond ASCII
        return False
