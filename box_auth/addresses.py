"""Addresses: loopback or not, the same host or not, a page of this site or not, and what Box takes to come back to."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_SENTINEL = ("sentinel_username", "sentinel_password")
_OPTIONS = {  # what may stand after the “?”
    "redis": set(),
    "rediss": {*_TLS_FILES},
    "redis+sentinel": {*_SENTINEL},
    "rediss+sentinel": {*_SENTINEL, *_TLS_FILES},
    "unix": {"db", "password"},
}
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised in order to be translated, not bound


def url_of(host: str, port: int) -> str:
    """Return the address at which a browser on this machine reaches what listens on ``host`` and ``port``."""
    reachable = "127.0.0.1" if host in ANY_ADDRESS else host
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def loopback_redirect_uri(host: str, port: int) -> str:
    return f"{url_of(host, port)}/callback"


def redirect_problems(uri: str, host: str | None, port: int, proxies: int) -> list[str]:
    """Tell what is wrong with a redirect URI for an app that listens on ``host`` (None: not set) and ``port``,
    behind so many ``proxies``.

    Box's rules: https, or http for loopback; matched exactly, only a loopback port may differ (guides, OAuth 2.0
    setup). The rest is what must hold for Box's answer to arrive here.
    """
    if not is_web_address(uri):
        example = "http://127.0.0.1:5000/callback"
        return [f"REDIRECT_URI must be a full address, such as {example}, without user name and password."]
    parts = urlsplit(uri)
    if not parts.path.endswith("/callback") or parts.query or parts.fragment:
        return ["The path of REDIRECT_URI must end in /callback, where this app listens."]
    local = parts.hostname in LOOPBACK
    if parts.scheme != "https" and not local:
        return ["REDIRECT_URI begins with http://, and away from localhost Box requires https."]
    if proxies:  # they have a name, a port and a path of their own
        return []
    problems = []
    if parts.path != "/callback":
        problems.append(
            "REDIRECT_URI: its path must be /callback, where this app listens; only a proxy can put something in front "
            "of it, and then TRUSTED_PROXIES must be set."
        )
    if parts.scheme == "https":
        if local and (parts.port or 443) == port:
            problems.append(
                f"REDIRECT_URI begins with https://, but the app itself speaks plain http on port {port}: write "
                "http://, or name the port of a proxy that speaks https."
            )
        return problems
    if host in ANY_ADDRESS:  # in a container, say, whose ports are mapped to others outside
        return problems
    if host and host != parts.hostname:
        problems.append(
            f"REDIRECT_URI names the host {parts.hostname}, but CALLBACK_HOSTNAME is {safe_to_show(host)}: to Box "
            "localhost and 127.0.0.1 are different, so make them the same, or remove one of the two lines."
        )
    if (parts.port or 80) != port:
        problems.append(
            f"REDIRECT_URI names port {parts.port or 80}, but the app is on port {port}: make CALLBACK_PORT the same."
        )
    return problems


def safe_to_show(host: str) -> str:
    """Return ``host`` if it is the number of a machine or localhost; a name may be a password in the wrong line."""
    try:
        return host if host in LOOPBACK else str(ipaddress.ip_address(host))
    except ValueError:
        return "another name"


def loopback_port(uri: str) -> int | None:
    if not is_web_address(uri):
        return None
    parts = urlsplit(uri)
    return parts.port if parts.scheme == "http" and parts.hostname in LOOPBACK else None


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and "@" not in parts.netloc  # a password would be shown, and sent to Box
        return parts.scheme in ("http", "https") and named and parts.port != 0
    except ValueError:  # a port that is no number, a bracket left open
        return False


def is_own_page(target: str) -> bool:
    """Tell whether browsers take ``target`` for a page of this site: a path, with nothing they would read past."""
    readable = not any(ord(character) < 32 or character == "\\" for character in target)
    return readable and target.startswith("/") and not target.startswith("//")


def is_public_https(address: str) -> bool:
    """Tell whether a browser that is told to stay on https for this host (HSTS) does no harm to others: on this machine
    other programs are under the same name, at other ports."""
    parts = urlsplit(address)
    return parts.scheme == "https" and parts.hostname not in LOOPBACK


def same_host(host: str, address: str) -> bool:
    """Tell whether ``host``, a request's Host header, is that of ``address``; its usual port may be left out."""
    parts = urlsplit(address)
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return host.lower().removesuffix(usual) == parts.netloc.lower().removesuffix(usual)


def redis_mistakes(url: str) -> list[str]:
    """Tell what is wrong with an address of Redis, and nothing that stands in it."""
    if url.lower().startswith(("redis+cluster:", "rediss+cluster:")):
        return ["REDIS_URL names a cluster, which the app does not speak to: it needs a Redis that is none."]
    if not is_redis_address(url):
        looks = "redis://:password@host:6379/0, rediss:// for TLS"
        with_sentinel = "redis+sentinel://:password@host:26379,host:26379/service/0 behind Sentinel"
        return [f"REDIS_URL is not an address of Redis: it looks like {looks}, or {with_sentinel}."]
    given = parse_qs(redis_parts(url).query)
    unread = [name for name in _TLS_FILES for path in given.get(name, []) if not _is_readable(path)]
    return [f"REDIS_URL: {name} is not the full path of a file that the app may read." for name in unread]


def is_redis_address(url: str) -> bool:
    try:
        parts = redis_parts(url)
        options = parse_qs(parts.query, strict_parsing=bool(parts.query))
        if not options.keys() <= _OPTIONS[parts.scheme] or not all(db.isdigit() for db in options.get("db", [])):
            return False
        if parts.scheme == "unix":
            return bool(parts.path)
        if is_sentinel_address(url):
            sentinels, service, _ = sentinel_address(url)
            return bool(service) and all(host and port for host, port in sentinels)
        numbered = not parts.path.strip("/") or parts.path.strip("/").isdigit()
        return bool(parts.hostname) and "," not in parts.netloc.rpartition("@")[2] and parts.port != 0 and numbered
    except (ValueError, KeyError):
        return False


def is_sentinel_address(url: str) -> bool:
    return url.startswith(("redis+sentinel:", "rediss+sentinel:"))


def sentinel_address(url: str) -> tuple[list[tuple[str, int]], str, int]:
    """Return the hosts and ports of the sentinels, the service's name, and the number of the database."""
    hosts = _netloc(url).rpartition("@")[2].split(",")
    sentinels = [urlsplit(f"//{host}") for host in hosts]
    service, _, database = redis_parts(url).path.strip("/").partition("/")
    named = [(each.hostname or "", 26379 if each.port is None else each.port) for each in sentinels]
    return named, unquote(service), int(database or 0)


def redis_parts(url: str) -> SplitResult:
    """Return the parts of an address of Redis; behind Sentinel with ``sentinels`` for the host, as some Pythons refuse
    several hosts of which one is an IPv6 address."""
    if is_sentinel_address(url):
        netloc = _netloc(url)
        user, at, _ = netloc.rpartition("@")
        url = url.replace(netloc, f"{user}{at}sentinels", 1)
    return urlsplit(url)


def _netloc(url: str) -> str:
    return re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0]


def _is_readable(path: str) -> bool:
    return os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.R_OK)
