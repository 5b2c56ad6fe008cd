"""The log as JSON, an object a line, for whatever collects it (LOG_FORMAT=json)."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

from . import request_id
from .logs import without_codes

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # werkzeug's
_start = logging.getLogger("box_auth.start")
_start.setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """Writes a record as one line of plain ASCII, its trace included, and without login codes, whoever logged it."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": moment.replace("+00:00", "Z"), "level": record.levelname, "logger": record.name}
        told = getattr(record, "box_told", None)  # a line of ours, in parts
        if told is not None:
            return json.dumps({**line, **told})
        if name := request_id.current():
            line["id"] = name
        try:
            message = record.getMessage()
        except Exception as error:  # its arguments do not fit, or do not show themselves; better this than no line
            message = record.msg if isinstance(record.msg, str) else f"{type(error).__name__} in place of a message"
        line["message"] = without_codes(_COLOURS.sub("", message)).strip()
        trace = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if trace or record.stack_info:
            line["trace"] = without_codes("\n".join(filter(None, (trace, record.stack_info))))
        return json.dumps(line)


def log_as_json(*loggers: str) -> None:
    """Have all that is logged on this process's standard streams come as JSON, and once: ``loggers``, by name, lose the
    handlers that they were given while there were no others. What goes elsewhere, such as to a file, stays as it is."""
    root = logging.getLogger()
    for name in loggers:
        logger = logging.getLogger(name)
        for handler in filter(_is_standard, logger.handlers[:]):
            logger.removeHandler(handler)  # the root's does it
    if not any(map(_is_standard, root.handlers)):
        root.addHandler(logging.StreamHandler())
    for handler in filter(_is_standard, root.handlers):
        handler.setFormatter(JsonLines())
    logging.captureWarnings(True)


def announce(text: str) -> None:
    """Tell the terminal, or the log where that is JSON."""
    if any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers):
        _start.info("%s", text)
    else:
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def _is_standard(handler: logging.Handler) -> bool:
    stream = getattr(handler, "stream", None)
    return stream in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)
