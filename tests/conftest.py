"""The tests of your own pages. They need no Box account: box_emulator, the local Box, answers them.

Its pytest plugin gives `signed_in` (a test client of an app, signed in) and `emulator` (that Box, to add users and
files to, and to break), and has sent the app to it by the time that a test module says ``from app import app``.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent

if find_spec("box_emulator"):
    pytest_plugins = ["box_emulator.pytest_plugin", "tests.browser"]
else:

    def pytest_collection_modifyitems(items):
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="needs box_emulator, the local Box, which was deleted"))
