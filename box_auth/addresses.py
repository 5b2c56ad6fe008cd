"""What makes a setting or an address right or wrong, one at a time."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised in order to be translated, not bound


def loopback_redirect_uri(host: str, port: int) -> str:
    reachable = "127.0.0.1" if host in ANY_ADDRESS else host
    return f"http://[{reachable}]:{port}/callback" if ":" in reachable else f"http://{reachable}:{port}/callback"


def redirect_problems(uri: str, values: Mapping[str, str], port: int) -> list[str]:
    """Box's rules for redirect URIs: https, or http for loopback; matched exactly (guides, OAuth 2.0 setup)."""
    if not is_web_address(uri):
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
    if expected_host not in ANY_ADDRESS and expected_host != parts.hostname:
        problems.append(
            f"REDIRECT_URI names the host {parts.hostname}, but CALLBACK_HOSTNAME is {expected_host}: to Box "
            "localhost and 127.0.0.1 are different, so make them the same, or remove one of the two lines."
        )
    if (parts.port or 80) != port:
        problems.append(
            f"REDIRECT_URI names port {parts.port or 80}, but the app is on port {port}: make CALLBACK_PORT the same."
        )
    return problems


def loopback_port(uri: str) -> int | None:
    if not is_web_address(uri):
        return None
    parts = urlsplit(uri)
    return parts.port if parts.hostname in LOOPBACK else None


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket left open
        return False


def is_own_page(target: str) -> bool:
    """Tell whether browsers take ``target`` for a page of this site: a path, with nothing they would read past."""
    readable = not any(ord(character) < 32 or character == "\\" for character in target)
    return readable and target.startswith("/") and not target.startswith("//")


def same_host(host: str, address: str) -> bool:
    """Tell whether ``host``, a request's Host header, is that of ``address``; its usual port may be left out."""
    parts = urlsplit(address)
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return host.lower().removesuffix(usual) == parts.netloc.lower().removesuffix(usual)


def is_redis_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        numbered = not parts.path.strip("/") or parts.path.strip("/").isdigit()
        whole = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0 and numbered
        return (whole and not parts.query) or (parts.scheme == "unix" and bool(parts.path))
    except ValueError:
        return False


def is_fernet_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except ValueError:  # also for text beyond ASCII
        return False


def number(values: Mapping[str, str], name: str, default: int, low: int, high: int, problems: list[str]) -> int:
    text = values.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    problems.append(f"{name} is “{text}”: it must be a number from {low} to {high}.")
    return default
