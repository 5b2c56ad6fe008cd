"""What a log or a terminal may show: no login code, and nothing that forges a line or steers what shows it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import traceback
import unicodedata
from collections.abc import Callable
from typing import Any, TextIO
from urllib.parse import urlsplit

_SECRET_ARGUMENTS = re.compile(  # also in an address that is an argument itself
    r"(?:\b|(?<=%3F)|(?<=%26))"
    r"(code|state|access_token|refresh_token|client_secret|shared_link_password|signature)(=|%3D)[^&\s\"']+",
    re.IGNORECASE,
)
_SECRET_ITEMS = re.compile(  # of dicts and JSON; what Box names a failure by, such as 'code': 'not_found', stays
    r"""((['"])(?:\w*_token|client_secret|\w*password|(?:state|code)(?=\2: ?['"](?![a-z_]*['"])))\2: ?)(['"]).*?\3"""
)
_PLAIN_WORD = re.compile(r"[a-z_]{1,50}(\.[a-z]{1,5})?|oauth2|2\.0")
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they reorder the rest of the line
_UNESCAPED = str.maketrans(dict.fromkeys(_TURNING + "\x85\u2028\u2029", "�"))  # by werkzeug, which escapes the rest
_user_key = b""  # hashes users in the log where it is set
_UNFIT = ("Cc", "Cs", "Zl", "Zp")  # control characters, half characters, other ends of lines


def printable(text: object) -> str:
    """Return ``text``, which other people may have written, as one line without what could steer a terminal or forge
    another line. None becomes an empty text, and one of the SDK's enumerated values what Box calls it."""
    signs = "" if text is None else str(getattr(text, "value", text))
    if signs.isascii() and signs.isprintable():
        return signs
    return "".join("�" if unicodedata.category(sign) in _UNFIT or sign in _TURNING else sign for sign in signs)


def hide_login_codes(*loggers: str) -> None:
    """Take login codes and states out of what these loggers write, by name: a web server's, whose lines quote addresses
    (``uvicorn.access``, ``django.server``)."""
    for name in loggers:
        _add(name, _NoCodes())


def hide_addresses(*loggers: str) -> None:
    """Have these loggers, by name, show no query and no id of an address: an HTTP client's, as the address of a
    download lets anybody in."""
    for name in loggers:
        _add(name, _NoAddresses())


def own_logger(name: str) -> logging.Logger:
    """Return a logger whose records are single lines, and whose traces nobody takes for lines."""
    _add(name, _OneLine())
    return logging.getLogger(name)


def hash_users(key: str) -> None:
    """Have `shown_user` hash users with this key from now on; an empty one ends that."""
    global _user_key
    _user_key = key.encode()


def shown_user(user_id: str) -> str:
    """Return what a log may call a user: the id, or a hash that only whoever has the key can make of it."""
    if not _user_key or not user_id:
        return user_id
    return hmac.new(_user_key, f"box user {user_id}".encode(), hashlib.sha256).hexdigest()[:16]


def path_without_ids(url: str) -> str:
    """Return a URL's path with ``{id}`` in place of all that is no plain word: an id, or what lets anybody in who has
    it, as the addresses of downloads and zip archives do."""
    segments = urlsplit(url).path.split("/")
    return "/".join(part if not part or _PLAIN_WORD.fullmatch(part) else "{id}" for part in segments)


def rewrite(record: logging.LogRecord, change: Callable[[str], str]) -> None:
    """Change a record's message. One that cannot be made stays: logging itself tells of that, and no page fails."""
    try:
        message = record.getMessage()
    except Exception:  # arguments that do not fit, or one of somebody's own that does not show itself
        return
    if (changed := change(message)) != message:
        record.msg, record.args = changed, ()


def without_codes(text: str) -> str:
    return _SECRET_ITEMS.sub(r"\1\3...\3", _SECRET_ARGUMENTS.sub(r"\1\2...", text))


def keep_trace_apart(record: logging.LogRecord) -> None:
    """Indent the trace of an exception, whose text other people may have written: no line of it begins a record."""
    if record.exc_info and not record.exc_text:
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        record.exc_text = _indented(without_codes(text).split("\n"))


class TracesApart:
    """A stream, such as ``wsgi.errors``, of whose texts only the first lines begin lines: the rest are a trace."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        body = text.rstrip("\n")
        self._stream.write(_first_line_begins(without_codes(body)) + text[len(body) :])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _first_line_begins(text: str) -> str:
    first, *more = text.split("\n")
    return "\n".join((first, _indented(more))) if more else text


def _indented(lines: list[str]) -> str:
    own = " * "  # how werkzeug says where it listens
    return "\n".join(("" if line.startswith(own) else "  ") + printable(line.replace("\t", "    ")) for line in lines)


class _NoCodes(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):  # one by one, as uvicorn's formatter counts them
            record.args = tuple(self._shown(value) if isinstance(value, str) else value for value in record.args)
        rewrite(record, lambda message: _first_line_begins(self._shown(message)))  # werkzeug's has traces in it
        keep_trace_apart(record)
        return True

    @staticmethod
    def _shown(text: str) -> str:
        return without_codes(text).translate(_UNESCAPED)


class _NoAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(self._shown(value) if isinstance(value, str) else value for value in record.args)
        return True

    @staticmethod
    def _shown(text: str) -> str:
        parts = urlsplit(text) if "://" in text or text.startswith("/") else None
        return f"{parts.scheme}://{parts.netloc}".removeprefix("://") + path_without_ids(text) if parts else text


class _OneLine(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        rewrite(record, lambda message: printable(without_codes(message)))
        keep_trace_apart(record)
        return True


def _add(name: str, new: logging.Filter) -> None:
    logger = logging.getLogger(name)
    if not any(type(known) is type(new) for known in logger.filters):
        logger.addFilter(new)
