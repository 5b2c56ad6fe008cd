"""The fixtures for one test alone, and the switches and seeds as box_emulator/README.md has them."""

import json
import re

import pytest
import requests
from box_sdk_gen import BoxAPIError

from box_emulator import Emulator, Seed
from box_emulator.pytest_plugin import client_for

from .processes import ROOT

PAGE = (ROOT / "box_emulator" / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_client_is_signed_in_as_the_first_user(box_client, box_emulator):
    assert box_client.users.get_user_me().login == "ada@example.com"
    assert client_for(box_emulator, "bo@example.com").users.get_user_me().login == "bo@example.com"


def test_each_test_has_a_box_of_its_own(box_emulator):
    assert len(box_emulator.emulator.requests) == 0
    assert box_emulator.url.startswith("http://127.0.0.1:")
    assert box_emulator.settings["BOX_API_URL"] == box_emulator.url


def test_faults_reach_the_client(box_client, box_emulator):
    box_emulator.emulator.fault("GET /2.0/users/me", status=404)
    with pytest.raises(BoxAPIError) as error:
        box_client.users.get_user_me()
    assert error.value.response_info.status_code == 404


def test_the_documented_switches_work(box_emulator):
    exec(compile(blocks("python")[3], "box_emulator/README.md", "exec"), {})
    switches = re.findall(r"curl \$at/(\S*) +-H \"\$json\" -d '(.*?)'", PAGE)
    assert len(switches) == 8
    for path, body in switches:
        answer = requests.post(f"{box_emulator.url}/_emulator/{path}", json=json.loads(body), timeout=5)
        assert answer.status_code == 200, (path, answer.text)


def test_the_documented_seed_is_one(tmp_path):
    pytest.importorskip("yaml", reason="PyYAML is not installed (pip install pyyaml)")
    (tmp_path / "seed.yaml").write_text(blocks("yaml")[0])
    emulator = Emulator(seed=Seed.read(tmp_path / "seed.yaml"))
    assert [user.login for user in emulator.users] == ["cleo@example.com"]
    emulator.close()
