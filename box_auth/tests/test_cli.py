"""The commands below `flask box`, as processes."""

import json

from .journey import App as WebApp
from .journey import Visitor, running
from .terminal import Terminal, flask_box, signed_in
from .walker import consent


def test_signing_in_looking_around_and_signing_out(emulator, fork, settings):
    with Terminal(fork, "-m", "flask", "box", "login", **settings) as terminal:
        terminal.type(consent(terminal.address(), "grant"))
        assert terminal.end() == 0, terminal.output
        assert terminal.output.endswith("You are Ada Example (ada@example.com).\n")
    user = emulator.users[0]
    assert flask_box(fork, "whoami", **settings).stdout == f"Ada Example (ada@example.com), user {user.id}\n"
    root = flask_box(fork, "ls", **settings)
    assert (root.returncode, root.stderr) == (0, "")
    projects = next(line.split() for line in root.stdout.splitlines() if line.endswith("  Projects"))
    assert projects[0] == "folder"
    assert "web_link" in root.stdout
    assert "\u202e" not in root.stdout
    assert "Meeting notes.md" in flask_box(fork, "ls", projects[1], **settings).stdout
    out = flask_box(fork, "logout", **settings)
    assert out.stdout == "Ada Example is signed out, here and in every browser.\n"
    assert not list((fork / "instance").rglob("*.json"))
    assert emulator.requests.count("POST /oauth2/revoke") == 2


def test_login_in_demo_mode_serves_the_consent_page_itself_and_is_the_web_demos_sign_in(demo_fork):
    with Terminal(demo_fork, "-m", "flask", "box", "login") as terminal:
        terminal.type(consent(terminal.address(), "grant"))
        assert terminal.end() == 0, terminal.output
    assert "Ada Example" in flask_box(demo_fork, "whoami").stdout
    with running(WebApp(demo_fork)) as app, Visitor(app.url) as visitor:
        visitor.sign_in("Ada")
        visitor.sign_out()
    assert "[signed_out]" in flask_box(demo_fork, "whoami").stderr


def test_a_folder_of_more_items_than_box_gives_at_once(emulator, fork, settings):
    user = emulator.users[0]
    with emulator.database.transaction():
        folder = emulator.add_item(user, "Many", "folder")
        for number in range(1100):
            emulator.add_item(user, f"{number}.txt", parent=folder)
    signed_in(fork, settings)
    listed = flask_box(fork, "ls", folder.id, **settings).stdout.splitlines()
    assert len({line.split()[-1] for line in listed}) == len(listed) == 1100


def test_without_a_sign_in_a_command_says_how_to_get_one(fork, settings):
    done = flask_box(fork, "whoami", **settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert "[sign_in_needed]" in done.stderr
    assert "flask box login" in done.stderr


def test_a_folder_that_is_none(emulator, fork, settings):
    signed_in(fork, settings)
    no_id = flask_box(fork, "ls", "../x", **settings)
    assert (no_id.returncode, "digits" in no_id.stderr) == (2, True)
    away = flask_box(fork, "ls", "999999999", **settings)
    assert (away.returncode, away.stdout) == (1, "")
    assert "[item_not_found]" in away.stderr


def test_wrong_settings_stop_a_command_but_not_doctor(fork):
    settings = {"CLIENT_ID": "id", "CALLBACK_PORT": "five"}
    stopped = flask_box(fork, "whoami", **settings)
    assert stopped.returncode == 1
    assert "CALLBACK_PORT must be a number from 1 to 65535" in stopped.stderr
    examined = flask_box(fork, "doctor", "--json", **settings)
    assert examined.returncode == 1
    said = [finding["said"] for finding in json.loads(examined.stdout) if finding["state"] == "fail"]
    assert len(said) == 2
    assert any("CLIENT_SECRET" in line for line in said)


def test_the_help_names_every_command(fork):
    text = flask_box(fork, "--help").stdout
    for command in ("login", "whoami", "ls", "logout", "doctor", "new-key", "rotate-keys", "setup"):
        assert f"  {command} " in text
