"""What makes the comparison fair: the others have the starter's addresses, and all pages are the same."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.speed.processes import die_with_parent
from benchmarks.speed.servers import Failed
from box_auth.config import NAMES
from box_auth.tests.journey import ROOT
from box_auth.tests.programs import clean_environment

if TYPE_CHECKING:
    from benchmarks.speed.measures import Bench

SAME = ("/dashboard", "/dashboard?page=2", "/files/10", "/files/1000", "/files/100000?page=50")


def write_rules(folder: Path) -> None:
    """Write the starter's addresses into ``folder``, for apps that build links with them. Raises `Failed`."""
    settings = {"CLIENT_ID": "none", "CLIENT_SECRET": "none", "INSTANCE_DIR": str(folder / "rules")}
    environment = clean_environment(**{**dict.fromkeys(NAMES, ""), **settings})
    command = [sys.executable, "-m", "benchmarks.speed.apps.rules"]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, preexec_fn=die_with_parent)
    if said.returncode:
        raise Failed(said.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    (folder / "rules.json").write_bytes(said.stdout)


def different(bench: Bench) -> list[str]:
    """Return where another app's page is not what the floor's is, but for the token against forged forms and for
    spaces between elements, which show nowhere."""
    faults = []
    bench.box.set_delay(0)
    floor = next((server for server in bench.servers if server.app.name == "floor"), None)
    if floor is None:
        return []
    others = [server for server in bench.servers if server is not floor]
    for path in SAME:
        expected = elements(floor.view(0, path)[1])
        for server in others:
            found = elements(server.view(0, path)[1])
            if found != expected:
                lines = [
                    line
                    for line in difflib.unified_diff(expected, found, lineterm="", n=0)
                    if line[:2] not in ("--", "++", "@@")
                ]
                faults.append(f"{path} of {server.app.words} is another page than the floor's: {' '.join(lines)[:300]}")
    return faults


def elements(page: bytes) -> list[str]:
    """Return a page as lines that can be compared."""
    text = re.sub(r'(name="csrf_token" value=)"[^"]*"', r'\1""', page.decode(errors="replace"))
    text = re.sub(r"\s+", " ", text).replace("> ", ">").replace(" <", "<")
    return text.replace("><", ">\n<").splitlines()
