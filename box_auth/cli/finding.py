"""One thing that `flask box doctor` found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..problems import problems


@dataclass(frozen=True)
class Finding:
    """What a check saw. ``fail`` would keep people from signing in, ``warn`` would not, ``skip`` was not looked at.

    ``code`` names the entry of the catalogue that says how to fix it. No secret is ever in ``said``.
    """

    check: str
    state: Literal["ok", "warn", "fail", "skip"]
    said: str
    code: str = ""

    @property
    def todo(self) -> str:
        return problems()[self.code].todo if self.code else ""

    def as_dict(self) -> dict[str, str]:
        return {"check": self.check, "state": self.state, "said": self.said, "code": self.code, "todo": self.todo}


def bad(check: str, code: str, more: str = "", state: Literal["warn", "fail"] = "fail") -> Finding:
    """Return a finding in the catalogue's words, with ``more`` on this very case."""
    return Finding(check, state, " ".join(part for part in (problems()[code].happened, more) if part), code)
