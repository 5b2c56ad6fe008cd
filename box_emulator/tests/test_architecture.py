"""The arrows between the emulator's modules, and to the world outside."""

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
PLUGIN = "box_emulator.pytest_plugin"
NOT_SERVED = {"tests", "benchmarks"}


def modules():
    """Every module of the emulator by its full name, but for tests and benchmarks."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[1] not in NOT_SERVED:
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(name, path):
    """What a module names in its imports, wherever they stand in it, each as all that it could be the name of."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{origin}.{alias.name}", origin) for alias in node.names)


def arrows():
    """For each module, the other modules of the emulator that it imports."""
    known = modules()
    return {
        name: {next((each for each in names if each in known), None) for names in imports(name, path)} - {None, name}
        for name, path in known.items()
    }


def foreign(name, path):
    roots = {names[-1].partition(".")[0] for names in imports(name, path)}
    return roots - set(sys.stdlib_module_names) - {"box_emulator"}


def test_there_is_something_to_read():
    found = arrows()
    assert len(found) > 40
    assert "box_emulator.emulator" in found["box_emulator.serving"]
    assert "box_emulator.api.files" in found["box_emulator.api"]
    assert sum(map(len, found.values())) > 100


def test_no_two_modules_need_each_other():
    try:
        TopologicalSorter(arrows()).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_the_emulator_needs_flask_and_nothing_else():
    for name, path in modules().items():
        if name != PLUGIN:
            assert foreign(name, path) <= {"flask", "werkzeug"}, name


def test_the_pytest_plugin_needs_pytest_and_the_sdk_besides():
    assert foreign(PLUGIN, modules()[PLUGIN]) - {"flask", "werkzeug"} == {"pytest", "box_sdk_gen"}
