"""Looks for whatever could keep people from signing in, from the settings to Box itself."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from .. import config, private_files
from ..addresses import ANY_ADDRESS, safe_to_show
from ..config import Settings
from ..errors import BoxAuthError, ConfigError, StoreUnavailable
from ..ports import obstacle
from ..stores import open_store
from ..stores.base import TokenStore
from . import reach
from .finding import Finding, bad

_SHORT = 16  # characters


def diagnose(folder: Path = config.ROOT) -> list[Finding]:
    """Check everything, in the order in which it must be right. ``folder`` is the project's, which holds `.env`.

    Nothing is changed, and nothing needs to be right before: wrong settings are findings, too.
    """
    findings = [*_versions(folder)]
    try:
        values = config.read(folder)
        demo = config.is_demo(values)
        made_up = {"CLIENT_ID": "demo", "CLIENT_SECRET": "demo"} if demo else {}
        instance = config.instance_folder(values, folder)
        kept = instance / "demo" if demo else instance
        settings = config.parse({**made_up, **values}, kept)
    except ConfigError as error:
        wrong = [Finding("settings", "fail", line, "settings") for line in error.mistakes]
        return [*findings, *wrong, Finding("the rest", "skip", "Fix the settings first, then run this again.")]
    findings.append(_env(folder, demo))
    findings.append(_port(settings))
    findings += _secret_key(settings)
    findings += _tokens(settings, kept, demo)
    if demo:
        return [*findings, Finding("Box", "skip", "The demo talks to its own made-up Box.")]
    findings.append(Finding("redirect URI", "ok", f"The Box console must hold {settings.redirect_uri}"))
    return [*findings, *reach.check_box(settings)]


def _versions(folder: Path) -> Iterator[Finding]:
    """Compare what is installed with the ranges in requirements.txt."""
    found, fine = [f"Python {sys.version.split()[0]}"], True
    try:
        lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    for name, limits in re.findall(r"^([\w-]+)((?:[<>]=?[\d.]+,?)+)$", "\n".join(lines), re.MULTILINE):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            version = "0"
        if not all(_within(version, *limit) for limit in re.findall(r"([<>]=?)([\d.]+)", limits)):
            fine = False
            yield bad("versions", "version_unfit", f"{name} is {version}, and should be {limits}.")
        elif name in ("flask", "boxsdk"):
            found.append(f"{name} {version}")
    if fine:
        yield Finding("versions", "ok", ", ".join(found))


def _within(version: str, sign: str, limit: str) -> bool:
    have, wanted = (tuple(int(part) for part in re.findall(r"\d+", text)[:3]) for text in (version, limit))
    return have >= wanted if sign == ">=" else have < wanted if sign == "<" else True


def _env(folder: Path, demo: bool) -> Finding:
    there = (folder / ".env").is_file()
    if demo:
        return bad("settings", "env_placeholders" if there else "env_missing", state="warn")
    where = ".env is there" if there else "There is no .env; the environment has the settings"
    return Finding("settings", "ok", f"{where}, and CLIENT_ID and CLIENT_SECRET are set.")


def _port(settings: Settings) -> Finding:
    host, port = settings.callback_hostname, settings.callback_port
    code = obstacle(host, port)
    if code == "port_taken":
        return _who_listens("127.0.0.1" if host in ANY_ADDRESS else host, port)
    if code:
        return bad("port", code, f"It is port {port} of {safe_to_show(host)}.")
    return Finding("port", "ok", f"Port {port} of {host} is free.")


def _who_listens(host: str, port: int) -> Finding:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        if "AirTunes" in answer.headers.get("Server", ""):
            return bad("port", "port_airplay", f"It is port {port}.")
        if "ready" in json.loads(answer.read(1000)):
            return Finding("port", "ok", f"The app runs on port {port}.")
    except (OSError, http.client.HTTPException, ValueError, TypeError):
        pass
    finally:
        connection.close()
    more = " On a Mac, that is likely AirPlay." if sys.platform == "darwin" and port in (5000, 7000) else ""
    return bad("port", "port_taken", f"It is port {port}.{more}")


def _secret_key(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url and not settings.secret_key:
        yield bad("secret key", "secret_key_missing")
    elif 0 < len(settings.secret_key) < _SHORT:
        yield bad("secret key", "secret_key_short", state="warn")
    else:
        yield Finding("secret key", "ok", "It is set." if settings.secret_key else "The app makes one of its own.")


def _tokens(settings: Settings, kept: Path, demo: bool) -> Iterator[Finding]:
    """Look at the place where tokens are kept, and at what is there; both stay as they are.

    What a demo has there belongs to the app of its made-up Box, whose client id is not known here.
    """
    try:
        store = open_store(settings)
        if settings.redis_url:
            store.users()
            store.check_writable()
            yield Finding("tokens", "ok", "Redis answers, and takes what it is given.")
        else:
            yield from _token_folder(settings.token_dir, kept)
        if not demo:
            yield from _sign_ins(store)
    except BoxAuthError as error:
        yield bad("tokens", error.code, error.detail)


def _token_folder(folder: Path, kept: Path) -> Iterator[Finding]:
    for place in (folder, kept):
        above = place
        while not os.path.lexists(above):
            above = above.parent
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            raise StoreUnavailable("store_unavailable", f"{above.name} is a file, or may not be written to.")
        with private_files.named_errors(above.name):
            private_files.check_writable(above / "0")
    places = (kept, folder, *folder.glob("*.json"))
    exposed = [path for path in places if path.exists() and path.stat().st_mode & 0o077]
    if exposed and os.name == "posix":
        yield bad("tokens", "folder_open", f"It is {exposed[0].name}.", "warn")
    else:
        yield Finding(
            "tokens", "ok", f"They can be written to the folder {folder.name}, and nobody else can read them."
        )


def _sign_ins(store: TokenStore) -> Iterator[Finding]:
    """Try to read what is stored. The store's own `load` would set aside what it cannot read; this does not."""
    users, failures, damaged = store.users(), dict[str, int](), 0
    for user_id in users:
        try:
            store.codec.decode(store.read(user_id) or b"", user_id)
        except StoreUnavailable as error:
            failures[error.code] = failures.get(error.code, 0) + 1
        except ValueError:  # its user will be asked to sign in again
            damaged += 1
    for code, count in failures.items():
        yield bad("sign-ins", code, f"{count} of {len(users)} stored sign-ins.")
    if not failures:
        note = f", {damaged} of them damaged" if damaged else ""
        yield Finding("sign-ins", "ok", f"{len(users)} are stored{note}.")
