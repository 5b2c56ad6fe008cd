"""The file `.env` as text: two values of it are changed, and every other line stays as it is."""

from __future__ import annotations

import io
import os
import re
import stat
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from .. import private_files
from ..errors import BoxAuthError
from ..values import PLACEHOLDER

_BOM = "\ufeff"
_LINE_BEGIN = r"\s*(?:export[^\S\r\n]+)?'?{name}'?[^\S\r\n]*=[^\S\r\n]*"
_VALUE = re.compile(r"'(?:\\'|[^'])*'|\"(?:\\\"|[^\"])*\"|[^\r\n]*?(?=[^\S\r\n]+#|[^\S\r\n]*(?:[\r\n]|$))")


class EnvFile:
    """`.env` of a folder, read once. Where there is none, it begins as `.env.sample`. A link is followed.

    Raises `BoxAuthError` (``env_unusable``) for what cannot be read, or could not be written later on.
    """

    def __init__(self, folder: Path) -> None:
        named = folder / ".env"
        self.is_link = named.is_symlink()
        self.is_new = not os.path.lexists(named)
        try:
            self.path = named.resolve()
            if not self.is_new and not stat.S_ISREG(self.path.stat().st_mode):  # a pipe would not end, nor be one after
                raise _unusable("It is no ordinary file.")
            self._found = b"" if self.is_new else self.path.read_bytes()
            sample = folder / ".env.sample"
            content = sample.read_bytes() if self.is_new and sample.is_file() else self._found
        except OSError as error:
            raise _unusable(f"It cannot be read: {error.strerror}.") from None
        except RuntimeError:  # how Python up to 3.12 says so
            raise _unusable("It is a link that leads back to itself.") from None
        try:
            self.text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise _unusable("It is not UTF-8 text.") from None
        self._check_writable()

    def value(self, name: str) -> str:
        """Return what is set in the file; a placeholder counts as nothing."""
        value = (_values(self.text).get(name) or "").strip()
        return "" if PLACEHOLDER.fullmatch(value) else value

    def others_read(self) -> bool:
        """Tell whether everybody on this machine may read the file that is there."""
        return not self.is_new and os.name == "posix" and bool(self.path.stat().st_mode & stat.S_IROTH)

    def write(self, values: dict[str, str]) -> None:
        """Write these values, and only if nobody else has changed the file since it was read. A new file is for its
        owner alone (mode 0600); one that was there keeps its mode and, where this user may give it that, its group."""
        text = self.text
        for name, value in values.items():
            text = with_value(text, name, value)
        if any(_values(text).get(name) != value for name, value in values.items()):
            raise _unusable("A value in it would not be read as it was typed.")
        try:
            before = None if self.is_new else self.path.stat()
            private_files.write(self.path, text.encode(), self._check_unchanged)
            if before:
                self.path.chmod(stat.S_IMODE(before.st_mode) & ~self._lost_to_group(before.st_gid))
        except OSError as error:
            raise _unusable(f"It cannot be written: {error.strerror}.") from None

    def _check_writable(self) -> None:
        """Find out before anything is asked: a new file takes the old one's place, so the folder must be writable."""
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise _unusable("Its folder may not be written to.")
        if not self.is_new and not os.access(self.path, os.W_OK):
            raise _unusable("It may not be written to.")
        if not self.is_new and os.name == "posix" and self.path.stat().st_uid != os.geteuid():
            raise _unusable("It belongs to another user, whose it would no longer be.")

    def _lost_to_group(self, group: int) -> int:
        """Give the file back to its group, or return the bits of the mode that the one it has now must not have."""
        try:
            if os.name == "posix" and self.path.stat().st_gid != group:
                os.chown(self.path, -1, group)
        except OSError:  # not a group of this user's
            return stat.S_IRWXG
        return 0

    def _check_unchanged(self) -> None:
        there = self.path.read_bytes() if self.path.exists() else b""
        if there != self._found:
            raise _unusable("Somebody else has changed it in the meantime.")


def with_value(text: str, name: str, value: str) -> str:
    """Return the text of a `.env` with ``name`` set: in its line, the last if there are several, or in a new one."""
    begin = _BOM if text.startswith(_BOM) else ""
    parts = list(parse_stream(io.StringIO(text.removeprefix(_BOM), newline="")))
    lines = [part.original.string for part in parts]
    places = [number for number, part in enumerate(parts) if part.key == name]
    if places:
        lines[places[-1]] = _changed(lines[places[-1]], name, value)
    else:
        end = "\r\n" if "\r\n" in text else "\n"
        gap = end if lines and not lines[-1].endswith(("\n", "\r")) else ""
        lines.append(f"{gap}{name} = {value}{end}")
    return begin + "".join(lines)


def _changed(line: str, name: str, value: str) -> str:
    """Put a value into its line, whose spacing, end and comment stay."""
    begin = re.match(_LINE_BEGIN.format(name=name), line)
    if not begin:  # the name alone
        return line.replace(name, f"{name} = {value}", 1)
    return begin[0] + value + _VALUE.sub("", line[begin.end() :], count=1)


def _values(text: str) -> dict[str, str | None]:
    return dotenv_values(stream=io.StringIO(text.removeprefix(_BOM), newline=""))


def _unusable(why: str) -> BoxAuthError:
    return BoxAuthError("env_unusable", why)
