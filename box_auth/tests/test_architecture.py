"""The arrows of the design: who may import whom, and how long a module may be."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from .journey import ROOT, clean_environment

PACKAGE = ROOT / "box_auth"
FRAMEWORKS = {"flask", "flask_limiter", "flask_session", "flask_wtf", "werkzeug", "fastapi", "starlette", "django"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.is_relative_to(PACKAGE / "tests")
}

# The rooms, a module or a folder each, from the roof to the ground. A room imports what is on floors below its own.
FLOORS = [
    {"flask"},
    {"cli"},
    {"script"},
    {"flow"},
    {"user_client"},
    {"refresh"},
    {"renewal"},
    {"oauth"},
    {"demo", "network", "stores"},
    {"config", "plain_page", "private_files", "readiness"},
    {"secret_files"},
    {"values"},
    {"addresses", "errors", "json_lines", "pauses", "pending", "ports", "signals", "sweeper"},
    {"logs", "problems", "request_id"},
]


def names_in(module: str) -> set[str]:
    """Everything that a module imports, wherever in it, by full names."""
    path, names = MODULES[module], set()
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return names


def modules_in(module: str) -> set[str]:
    """The modules of the engine that a module imports."""
    return {name if name in MODULES else name.rpartition(".")[0] for name in names_in(module)} & set(MODULES)


def room(module: str) -> str:
    return module.split(".")[1]


def test_there_is_something_to_read():
    assert len(MODULES) > 20
    assert {"box_auth.flow", "box_auth.flask.extension"} <= set(MODULES)
    assert "flask.Flask" in names_in("box_auth.flask.extension")
    assert "box_auth.config" in modules_in("box_auth.flow")


def test_every_room_has_a_floor_and_every_floor_is_in_use():
    rooms = {room(module) for module in MODULES if module != "box_auth"}
    assert sorted(rooms) == sorted(name for floor in FLOORS for name in floor)


def test_no_arrow_leads_up_or_to_a_neighbour():
    floor = {name: number for number, floor in enumerate(FLOORS) for name in floor}
    for module in MODULES.keys() - {"box_auth"}:
        for other in modules_in(module) - {"box_auth"}:
            below = floor[room(other)] > floor[room(module)]
            assert below or room(other) == room(module), f"{module} imports {other}"


def test_no_two_modules_import_each_other_however_long_the_way():
    try:
        TopologicalSorter({module: modules_in(module) for module in MODULES}).prepare()
    except CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_the_engine_never_imports_the_emulator_nor_a_forks_app():
    for module in MODULES:
        tops = {name.partition(".")[0] for name in names_in(module)}
        assert not tops & {"box_emulator", "app", "main", "files"}, module


def test_only_the_rooms_for_flask_and_the_command_line_import_a_web_framework():
    for module in MODULES:
        tops = {name.partition(".")[0] for name in names_in(module)}
        assert not tops & FRAMEWORKS or room(module) in ("flask", "cli"), module


def test_the_rest_works_where_flask_does_not_exist():
    rest = [module for module in MODULES if module == "box_auth" or room(module) not in ("flask", "cli")]
    program = f"import sys\nfor name in {sorted(FRAMEWORKS)}: sys.modules[name] = None\nimport {', '.join(rest)}\n"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in MODULES.items()])
def test_a_module_has_at_most_200_lines(path: Path):
    assert len(path.read_text("utf-8").splitlines()) <= 200
