"""docs/security.md is true as far as a program can tell: each threat has a row, and each test and file in it exists."""

import ast
import functools
import re
from pathlib import Path

import pytest

from .journey import ROOT, needs

PAGE = "docs/security.md"
ENGINE, TESTS = ROOT / "box_auth", ROOT / "box_auth" / "tests"

THREATS = [
    *("Stolen cookie", "Stolen disk", "Stolen Redis or backup", "Hostile `next`", "Login CSRF", "Session fixation"),
    *("Host header and forwarded headers", "Code interception", "Token in a log, a page or an exception"),
    *("XSS by a file's or a user's name", "SSRF by settings", "Demo on a public address", "Flood"),
    *("Paused or dead holder of a lock", "Two apps in one place", "Planted records and sessions"),
    *("Faulty dependency", "Log forging", "Clickjacking", "Forged form"),
]


FORKS = {"gunicorn.conf.py", "requirements.txt", "templates/dashboard.html"}  # which a fork may change or delete


def rows() -> dict[str, list[str]]:
    """The table: the other columns by the name of the threat."""
    needs(PAGE)
    lines = (ROOT / PAGE).read_text("utf-8").split("\n")
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| **")]
    return {re.match(r"\*\*(.+?)\*\*", first)[1]: rest for first, *rest in cells}


@functools.cache
def named_in(file: Path) -> set[str]:
    """The tests of a file as pytest names them, with those that a class inherits from the contract of the stores."""
    classes: dict[str, tuple[set[str], list[str]]] = {}
    found = set()
    for source in (TESTS / "store_contract.py", file):
        for node in ast.parse(source.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                own = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                classes[node.name] = own, [base.id for base in node.bases if isinstance(base, ast.Name)]
            elif isinstance(node, ast.FunctionDef) and source == file:
                found.add(node.name)
    for name, (own, bases) in classes.items():
        for test in own.union(*(classes[base][0] for base in bases if base in classes)):
            found.add(f"{name}::{test}")
    return found


def test_every_threat_has_a_row():
    assert sorted(rows()) == sorted(THREATS)


@pytest.mark.parametrize("threat", THREATS)
def test_each_test_that_a_row_names_exists(threat):
    named = re.findall(r"`([^`]+)`", rows()[threat][2])
    assert named
    for test in named:
        file, _, name = test.partition("::")
        path = TESTS / file if "/" not in file else ROOT / file
        if path.parent == TESTS or (file.startswith("box_emulator/") and path.exists()):  # the others are the fork's
            assert name in named_in(path), test


@pytest.mark.parametrize("threat", THREATS)
def test_each_file_that_a_row_names_exists(threat):
    for file in re.findall(r"`([\w./]+\.(?:py|html|txt))`", " ".join(rows()[threat][:2])):
        if file not in FORKS and not file.startswith("box_emulator/"):
            assert (ENGINE / file).exists(), file


@pytest.mark.parametrize("package", ["flask", "boxsdk", "flask-session", "flask-wtf", "limits", "cryptography"])
def test_what_the_engine_runs_on_has_a_lowest_version(package):
    needs("requirements.txt")
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    for line in lines:
        if re.match(rf"{package}\b(?!-)", line):
            assert re.match(rf"{package}(\[.*\])?\s*([>=~]=\s*\d|@)", line)
