"""docs/which-sign-in.md: its examples run as they stand, against the local Box."""

import re

import pytest
from box_sdk_gen import BoxAPIError

from box_auth import config

from .journey import ROOT, needs
from .terminal import Pty, run

needs("docs/which-sign-in.md")

SNIPPETS = dict(
    re.findall(r"^```python (\w+)\n(.*?)^```$", (ROOT / "docs/which-sign-in.md").read_text("utf-8"), re.M | re.S)
)


def test_a_developer_token_acts_for_its_user_and_is_not_shown(emulator, fork, settings):
    pytest.importorskip("termios", reason="needs a Unix terminal")
    token = emulator.sign_in("bo@example.com").access_token
    with Pty(fork, "-c", SNIPPETS["developer_token"], **settings) as terminal:
        terminal.answer("Developer token: ", token)
        assert terminal.end() == 0, terminal.output
    assert "bo@example.com\r\n" in terminal.output
    assert token not in terminal.output


@pytest.fixture
def robot(emulator):
    app = emulator.add_app("Robot")
    return {
        "ROBOT_CLIENT_ID": app.client_id,
        "ROBOT_CLIENT_SECRET": app.client_secret,
        "ROBOT_ENTERPRISE_ID": "900001",  # the emulator's own
    }


def test_client_credentials_act_for_the_apps_service_account(fork, settings, robot):
    done = run(fork, "-c", SNIPPETS["client_credentials"], **settings, **robot)
    assert done.stdout == f"AutomationUser_{robot['ROBOT_CLIENT_ID']}@boxdevedition.com\n", done.stderr


def test_a_job_later_on_gets_a_new_token_and_a_client_from_before_a_401(
    emulator, settings, robot, monkeypatch, tmp_path
):
    for name in config.NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**settings, **robot, "INSTANCE_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    names = {}
    exec(SNIPPETS["client_credentials"], names)
    try:
        earlier = names["robot"]()
        emulator.clock.advance(2 * 3600)
        with pytest.raises(BoxAPIError) as refused:
            earlier.users.get_user_me()
        assert refused.value.response_info.status_code == 401
        assert names["robot"]().users.get_user_me().login.startswith("AutomationUser_")
    finally:
        names["flow"].network.close()


def test_client_credentials_for_one_user(emulator, fork, settings, robot):
    bo = emulator.users.named("bo@example.com")
    code = SNIPPETS["client_credentials"].replace("enterprise_id=os.environ", "user_id=os.environ")
    done = run(fork, "-c", code, **settings, **{**robot, "ROBOT_ENTERPRISE_ID": bo.id})
    assert done.stdout == "bo@example.com\n", done.stderr


def test_every_example_is_tested():
    assert set(SNIPPETS) == {"developer_token", "client_credentials"}
