"""The arrows of the design: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .journey import ROOT, clean_environment

ENGINE = sorted(path for path in (ROOT / "box_auth").rglob("*.py") if "tests" not in path.parts)
CORE = [path for path in ENGINE if not {"flask", "cli"} & {*path.relative_to(ROOT).parts[1:]}]


def imported(path: Path) -> set[str]:
    """The top-level names of what a file imports from outside its own package."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def test_the_engine_never_imports_the_emulator():
    assert len(ENGINE) > 20
    for path in ENGINE:
        assert "box_emulator" not in imported(path), path.name


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_imports_no_web_framework(path):
    assert not imported(path) & {"flask", "flask_session", "flask_wtf", "werkzeug", "fastapi"}


def test_the_core_works_where_flask_does_not_exist():
    modules = ", ".join(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in CORE)
    program = (
        "import sys\n"
        "for name in ('flask', 'flask_session', 'flask_wtf', 'fastapi', 'werkzeug'): sys.modules[name] = None\n"
        f"import {modules}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_file_to_edit_is_short():
    assert len((ROOT / "app.py").read_text().splitlines()) < 60
