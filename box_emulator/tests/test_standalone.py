"""``python -m box_emulator``, as the process it is."""

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests

from box_emulator.__main__ import main

from .processes import ROOT, clean_environment, free_port

COMMAND = [sys.executable, "-m", "box_emulator"]
OPTIONS = {"cwd": ROOT, "env": clean_environment(), "text": True}


@contextmanager
def standalone(*arguments):
    """Run it, and give the settings it printed and the process."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **OPTIONS)
    try:
        settings = {}
        for line in process.stdout:
            name, equals, value = line.partition(" = ")
            if equals:
                settings[name] = value.strip()
            if "Ctrl-C" in line:
                break
        yield settings, process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_the_settings_serves_and_ends_cleanly(ending):
    port = free_port()
    with standalone("--port", str(port)) as (settings, process):
        url = f"http://127.0.0.1:{port}"
        assert settings == {
            "CLIENT_ID": "emulator-client-id",
            "CLIENT_SECRET": "emulator-client-secret",
            "BOX_API_URL": url,
            "BOX_UPLOAD_URL": f"{url}/api",
            "BOX_AUTHORIZE_URL": f"{url}/api/oauth2/authorize",
        }
        page = requests.get(
            settings["BOX_AUTHORIZE_URL"],
            params={
                "response_type": "code",
                "client_id": settings["CLIENT_ID"],
                "redirect_uri": "http://127.0.0.1:5000/callback",
                "state": "private",
            },
            timeout=5,
        )
        assert page.status_code == 200
        process.send_signal(ending)
        _, log = process.communicate(timeout=30)
        assert process.returncode == 0
        assert log == "GET /api/oauth2/authorize 200\n"


def test_its_data_survives_a_restart(tmp_path):
    arguments = ["--port", "0", "--data", str(tmp_path / "box.sqlite3")]
    times = []
    for advance in (86400, 0):
        with standalone(*arguments) as (settings, process):
            answer = requests.post(f"{settings['BOX_API_URL']}/_emulator/clock", json={"advance": advance}, timeout=30)
            times.append(answer.json()["now"])
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert 0 <= times[1] - times[0] < 60


def test_it_begins_with_a_seed_and_shows_it(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text('{"users": [{"name": "Cleo Example", "login": "cleo@example.com"}]}')
    with standalone("--port", "0", "--seed", str(seed)) as (settings, _):
        page = requests.get(f"{settings['BOX_API_URL']}/_emulator/", headers={"Accept": "text/html"}, timeout=30)
    assert "cleo@example.com" in page.text
    assert "ada@example.com" not in page.text


def test_what_cannot_be_is_said_in_a_line(tmp_path, capsys):
    strange = tmp_path / "strange"
    strange.write_text("no database\n" * 500)
    seed = tmp_path / "seed.json"
    seed.write_text('{"users": [{"name": "Cleo"}]}')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, words in (
            (["--port", port], f"Port {port} cannot be used"),
            (["--host", "0.0.0.0"], "0.0.0.0 is not this machine"),
            (["--port", "0", "--data", str(strange)], "is not a database of the Box emulator"),
            (["--port", "99999"], "Port 99999 cannot be used"),
            (["--port", "0", "--seed", str(seed)], "users[0] has no login"),
            (["--port", "0", "--seed", str(tmp_path / "none.json")], "No such file"),
        ):
            assert main(arguments) == 1
            said = capsys.readouterr().err
            assert words in said
            assert len(said.splitlines()) == 1


def test_what_cannot_be_is_the_exit_status_of_the_process():
    command = [*COMMAND, "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False, **OPTIONS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("0.0.0.0 is not this machine")
    assert len(done.stderr.splitlines()) == 1
