"""A script that signs in, as its reader meets it: a process, a browser, Box."""

import json
import os
import re
import shutil
import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from box_auth import config
from box_auth.config import Settings
from box_auth.errors import SignInFailed, SignInRequired
from box_auth.flow import open_flow
from box_auth.script.answer import Answer
from box_auth.script.listener import Listener
from box_auth.script.saved_user import SavedUser
from box_auth.script.terminal import explain, printable

from .journey import ROOT, checkout, free_port, local_box, needs
from .store_contract import RECORD
from .terminal import (
    Terminal,
    as_nobody,
    browser,
    flask_box,
    off_clock,
    pages_seen,
    run,
    signed_in,
)
from .walker import call, consent

DAY = 86400.0
PATIENT = (
    "-c",
    "import sys, script; from box_auth.script import run; sys.exit(run(lambda: script.main(wait=0.3)))",
)


def script(fork, settings, *habits, **more):
    return run(fork, "script.py", **{**settings, **browser(fork, *(habits or ("grant",))), **more})


def start_line(fork, demo=False) -> str:
    """What a script says beside its output when nobody has to be asked."""
    instance = fork.resolve() / "instance"
    if demo:
        return f"demo, with made-up users and files: data in {instance / 'demo'}\n"
    return f"live, with Box: data in {instance}\n"


def is_free(port) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
            return True
        except OSError:
            return False


class TestRuns:
    def test_the_first_asks_and_the_second_does_not(self, emulator, fork, settings):
        first = script(fork, settings)
        assert first.returncode == 0, first.stderr
        user = emulator.users[0]
        assert first.stdout.startswith(f"{user.login} {user.name}\n")
        assert "\nfolder Projects\n" in first.stdout
        assert "\u202e" not in first.stdout  # a name cannot turn the line round
        assert pages_seen(fork)[0][0] == 200
        assert "You can close this page" in pages_seen(fork)[0][1]
        (fork / "pages.json").unlink()
        second = script(fork, settings)
        assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, start_line(fork))
        session, (record,) = fork / "instance" / "script.json", (fork / "instance" / "tokens").glob("*.json")
        assert stat.S_IMODE(session.stat().st_mode) == stat.S_IMODE(record.stat().st_mode) == 0o600
        assert set(json.loads(session.read_text())) == {"user_id", "grant"}
        assert not (fork / "pages.json").exists()
        assert is_free(settings["CALLBACK_PORT"])

    def test_after_an_hour_the_token_is_renewed_without_asking(self, emulator, fork, settings):
        signed_in(fork, settings)
        emulator.clock.advance(2 * 3600)
        again = script(fork, settings)
        assert (again.returncode, again.stderr) == (0, start_line(fork))
        assert emulator.tokens.refreshes["accepted"] == 1

    def test_after_61_days_it_asks_again(self, emulator, fork, settings):
        signed_in(fork, settings)
        emulator.clock.advance(61 * DAY)
        again = script(fork, settings)
        assert again.returncode == 0, again.stderr
        assert "ada@example.com" in again.stdout
        assert pages_seen(fork)

    def test_in_demo_mode_nothing_needs_to_be_set_and_nobody_is_asked_twice(self, demo_fork):
        fork = demo_fork
        port = {"CALLBACK_PORT": str(free_port())}
        first = script(fork, port)
        assert first.returncode == 0, first.stderr
        assert "\nfolder Projects\n" in first.stdout
        second = script(fork, port)
        assert (second.stdout, second.stderr) == (first.stdout, start_line(fork, demo=True))
        assert not (fork / "instance" / "tokens").exists()  # where a real account's would be
        demo = local_box().Emulator(fork / "instance" / "demo" / "box.sqlite3", redirect_uris=["/callback"])
        demo.clock.advance(61 * DAY)
        demo.close()
        assert "response_type=code" in script(fork, port).stderr

    def test_signing_out_elsewhere_ends_it(self, fork, settings):
        signed_in(fork, settings)
        next((fork / "instance" / "tokens").glob("*.json")).unlink()
        assert "response_type=code" in script(fork, settings).stderr

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"\xff", b"[" * 9999, b'{"user_id": "\xc2\xb2", "grant": ""}']
    )
    def test_whatever_is_in_that_file_names_nobody(self, tmp_path, content):
        (tmp_path / "script.json").write_bytes(content)
        with pytest.raises(SignInRequired):
            SavedUser(open_flow(Settings("id", "secret", token_dir=tmp_path)), tmp_path).record()


class TestTheCallback:
    def test_denial_is_explained_in_both_places_and_stores_nothing(self, fork, settings):
        done = script(fork, settings, "deny")
        assert done.returncode == 1
        assert "[access_denied]" in done.stderr
        ((status, page),) = pages_seen(fork)
        assert status == 403
        assert "access_denied" in page
        assert not list((fork / "instance").rglob("*.json"))
        assert is_free(settings["CALLBACK_PORT"])

    def test_noise_and_stale_answers_do_not_count(self, fork, settings):
        done = script(fork, settings, "noise")
        assert done.returncode == 0, done.stderr
        assert [status for status, _ in pages_seen(fork)] == [404, 404, 400, 400, 400, 405, 200]

    def test_a_silent_connection_keeps_nobody_waiting(self, fork, settings):
        with Terminal(fork, "script.py", **settings) as terminal:
            address = terminal.address()
            with socket.create_connection(("127.0.0.1", int(settings["CALLBACK_PORT"]))):
                assert call("GET", consent(address, "grant"))[0] == 200
                assert terminal.end() == 0

    def test_a_second_answer_is_one_too_many(self, fork, settings):
        done = script(fork, settings, "twice")
        assert done.returncode == 0, done.stderr
        first, *second = pages_seen(fork)
        assert first[0] == 200
        assert all("state_used" in page for _, page in second)

    def test_nobody_answers(self, fork, settings):
        done = run(fork, *PATIENT, BROWSER="no-such-browser", **settings)
        assert done.returncode == 1
        assert "Waiting 0.3 seconds" in done.stderr
        assert "The limit was 0.3 seconds" in done.stderr
        assert "[sign_in_timeout]" in done.stderr
        assert is_free(settings["CALLBACK_PORT"])

    def test_box_is_away_when_the_answer_comes(self, emulator, fork, settings):
        emulator.fault("POST /oauth2/token", times=5, status=503)
        done = script(fork, settings)
        assert done.returncode == 1
        assert "[box_down]" in done.stderr
        assert pages_seen(fork)[0][0] == 502

    def test_a_wrong_secret(self, fork, settings):
        done = script(fork, settings, CLIENT_SECRET="not-the-secret")
        assert done.returncode == 1
        assert "[client_refused]" in done.stderr
        assert "The client credentials are invalid" in done.stderr
        assert "not-the-secret" not in done.stderr

    def test_ctrl_c_leaves_nothing_behind(self, fork, settings):
        with Terminal(fork, "script.py", **settings) as terminal:
            terminal.address()
            terminal.read_until("Ctrl-C stops")
            terminal.interrupt()
            assert terminal.end() == 130
            assert "Traceback" not in terminal.output
        assert is_free(settings["CALLBACK_PORT"])
        left = [path.name for path in (fork / "instance").rglob("*") if path.is_file()]
        assert all(name.endswith(".lock") for name in left)


class TestWithoutABrowser:
    def test_the_address_is_printed_and_the_pasted_answer_taken(self, fork, settings):
        with Terminal(fork, "script.py", **settings) as terminal:
            answer = consent(terminal.address(), "grant")
            for nonsense in ("", "   ", "what?", "http://[", "\x00\x7f", "https://example.com/?q=1"):
                terminal.type(nonsense)
            terminal.read_until("[paste_unclear]")
            terminal.type(answer.replace("state=", "state=x"))
            terminal.read_until("[state_unknown]")
            terminal.type(f"  '{answer}' ")
            assert terminal.end() == 0, terminal.output
            assert "ada@example.com" in terminal.output

    def test_a_pasted_refusal_ends_it(self, fork, settings):
        with Terminal(fork, "script.py", **settings) as terminal:
            terminal.type(consent(terminal.address(), "deny"))
            assert terminal.end() == 1
            assert terminal.output.count("[access_denied]") == 1

    def test_the_demo_works_the_same(self, demo_fork):
        with Terminal(demo_fork, "script.py", CALLBACK_PORT=str(free_port())) as terminal:
            terminal.type(consent(terminal.address(), "grant"))
            assert terminal.end() == 0, terminal.output

    def test_input_that_ends_does_not_end_the_wait(self, fork, settings):
        with Terminal(fork, "script.py", **settings) as terminal:
            address = terminal.address()
            terminal.stdin.close()
            assert call("GET", consent(address, "grant"))[0] == 200
            assert terminal.end() == 0


class TestThePort:
    def test_taken(self, fork, settings):
        with socket.create_server(("127.0.0.1", int(settings["CALLBACK_PORT"]))):
            done = script(fork, settings)
        assert done.returncode == 0, done.stderr
        assert f"Port {settings['CALLBACK_PORT']} is taken" in done.stderr
        assert f"http://127.0.0.1:{settings['CALLBACK_PORT']}/callback" in done.stderr  # for the console

    def test_below_1024(self, open_fork, settings):
        fork = open_fork
        limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        if limit.exists() and limit.read_text().strip() == "0":
            pytest.skip("everybody may use any port here")
        (fork / "instance").mkdir()
        (fork / "instance").chmod(0o777)
        command = as_nobody("run(script.main)")
        with Terminal(fork, *command, **{**settings, "CALLBACK_PORT": "81"}) as terminal:
            assert call("GET", consent(terminal.address(), "grant"))[0] == 200
            assert terminal.end() == 0, terminal.output
            assert "Port 81 may not be used" in terminal.output

    def test_two_scripts_at_once_both_succeed(self, fork, settings):
        with ThreadPoolExecutor() as threads:
            runs = list(threads.map(lambda _: script(fork, settings), range(2)))
        assert [done.returncode for done in runs] == [0, 0], [done.stderr for done in runs]
        assert script(fork, settings).stderr == start_line(fork)

    def test_a_redirect_uri_elsewhere_is_told_what_the_console_must_hold(self, emulator, fork, settings):
        done = script(fork, settings, REDIRECT_URI="https://files.example.com/callback")
        assert done.returncode == 0, done.stderr
        assert f"http://127.0.0.1:{settings['CALLBACK_PORT']}/callback" in done.stderr


class TestBadSurroundings:
    @pytest.mark.parametrize("style", ["plain", "windows"])
    def test_dot_env_as_editors_leave_it(self, emulator, fork, settings, style):
        """Byte-order mark, CRLF and quotes; and a secret with the signs that mean something in such files."""
        app = replace(emulator.add_app("Odd", ["http://127.0.0.1:5000/callback"]), client_secret="a#b=c'd")
        emulator.apps.put(app)
        values = {**settings, "CLIENT_ID": app.client_id, "CLIENT_SECRET": app.client_secret}
        form = {"plain": "{} = {}\n", "windows": '{}="{}"\r\n'}[style]
        text = "".join(form.format(*pair) for pair in values.items())
        (fork / ".env").write_bytes(text.encode("utf-8-sig" if style == "windows" else "utf-8"))
        done = script(fork, {})
        assert done.returncode == 0, done.stderr

    def test_dot_env_that_is_empty_means_the_demo(self, demo_fork):
        (demo_fork / ".env").write_text("")
        assert script(demo_fork, {"CALLBACK_PORT": str(free_port())}).returncode == 0

    def test_a_demo_that_cannot_start(self, demo_fork):
        (demo_fork / "instance").mkdir()
        (demo_fork / "instance" / "demo").write_text("a file where the folder should be")
        done = script(demo_fork, {})
        assert done.returncode == 1
        assert "demo in the instance folder cannot be used (File exists)" in done.stderr
        assert "Traceback" not in done.stderr

    def test_dot_env_in_utf_16(self, fork):
        (fork / ".env").write_text("CLIENT_ID = x\n", "utf-16")
        done = script(fork, {})
        assert done.returncode == 1
        assert "save it as UTF-8" in done.stderr

    def test_half_of_an_app_and_a_port_that_is_no_number_are_mistakes_and_no_demo(self, fork):
        done = script(fork, {"CLIENT_ID": "x", "CALLBACK_PORT": "five"})
        assert done.returncode == 1
        assert "CLIENT_SECRET is not set" in done.stderr
        assert "CALLBACK_PORT must be a number from 1 to 65535" in done.stderr
        assert "[settings]" in done.stderr

    def test_a_file_where_the_folder_should_be_is_told_before_anybody_is_asked(self, fork, settings):
        (fork / "instance").mkdir()
        (fork / "instance" / "tokens").write_text("in the way")
        done = script(fork, settings)
        assert done.returncode == 1
        assert "[store_unavailable]" in done.stderr
        assert not (fork / "pages.json").exists()

    def test_a_read_only_folder(self, open_fork, settings):
        fork = open_fork
        fork.chmod(0o555)
        done = run(fork, *as_nobody("run(script.main)"), **settings)
        fork.chmod(0o755)
        assert done.returncode == 1
        assert "[store_unavailable]" in done.stderr
        assert "Permission denied" in done.stderr

    def test_a_clock_five_minutes_off(self, tmp_path, fork, settings):
        done = script(fork, settings, **off_clock(tmp_path, "300"))
        assert done.returncode == 0, done.stderr
        again = script(fork, settings, **off_clock(tmp_path, "-300"))
        assert (again.returncode, again.stderr.startswith(start_line(fork))) == (0, True)
        assert again.stderr.removeprefix(start_line(fork)).count("\n") == 1
        assert re.search(r"seconds behind Box's\. .* \[clock_off]\n$", again.stderr)

    def test_a_proxy_that_refuses(self, fork, settings):
        nobody = f"http://127.0.0.1:{free_port()}"
        away = {"BOX_API_URL": "http://box.example", "HTTP_PROXY": nobody}
        done = script(fork, settings, **away)
        assert done.returncode == 1
        assert "[box_proxy]" in done.stderr
        assert "proxy" in done.stderr

    def test_box_forgets_the_user_between_two_calls(self, emulator, fork, settings):
        """The sign-in ends after `connect`: that is an error with a code, not a trace."""
        signed_in(fork, settings)
        emulator.fault("GET /2.0/folders/0/items", status=404)
        done = script(fork, settings)
        assert done.returncode == 1
        assert "[item_not_found]" in done.stderr

    def test_a_terminal_that_lacks_the_letters(self, fork, settings):
        done = script(fork, settings, PYTHONIOENCODING="ascii")
        assert done.returncode == 0, done.stderr
        assert "Projects" in done.stdout


def test_the_port_is_not_closed_before_the_last_page_is_sent():
    inside, go_on, seen = threading.Event(), threading.Event(), []

    def take(query):
        inside.set()
        go_on.wait(30)
        raise SignInFailed("access_denied")

    listener = Listener("127.0.0.1", 0)
    listener.serve(take)
    visit = threading.Thread(target=lambda: seen.append(call("GET", f"http://127.0.0.1:{listener.port}/callback?a=b")))
    visit.start()
    assert inside.wait(30)
    closing = threading.Thread(target=listener.close)
    closing.start()
    closing.join(0.3)
    assert closing.is_alive()
    go_on.set()
    visit.join(30)
    closing.join(30)
    assert seen[0][0] == 403
    assert "access_denied" in seen[0][1]
    assert is_free(listener.port)


def test_it_is_the_same_sign_in_as_the_commands(fork, settings):
    signed_in(fork, settings)
    assert "Ada Example" in flask_box(fork, "whoami", **settings).stdout


def test_without_the_local_box_it_is_a_live_script(fork, settings):
    shutil.rmtree(fork / "box_emulator")
    done = script(fork, settings)
    assert done.returncode == 0, done.stderr
    nothing_set = run(fork, "script.py")
    assert "CLIENT_ID is not set" in nothing_set.stderr


class TestTheProjectsOwn:
    """`python main.py`, if a fork still has it."""

    def test_it_says_who_you_are_and_what_your_root_folder_holds(self, tmp_path, emulator, settings):
        fork = checkout(tmp_path / "fork", "main.py")
        done = run(fork, "main.py", **settings, **browser(fork, "grant"))
        assert done.returncode == 0, done.stderr
        user = emulator.users[0]
        for shown in (user.name, user.login, "Projects"):
            assert shown in done.stdout
        assert "\u202e" not in done.stdout

    def test_it_is_short(self):
        needs("main.py")
        assert len((ROOT / "main.py").read_text().splitlines()) <= 25


@pytest.fixture
def flow(settings, tmp_path):
    flow = open_flow(config.parse(settings, tmp_path))
    yield flow
    flow.network.close()


def test_of_many_answers_at_once_one_is_taken_and_box_is_asked_once(emulator, flow):
    address, pending = flow.start()
    query, answer = dict(parse_qsl(urlsplit(consent(address, "grant")).query)), Answer(flow, pending)
    start = threading.Barrier(8)

    def take(_):
        start.wait()
        try:
            return answer.take(query).login
        except SignInFailed as error:
            return error.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(take, range(8)))
    assert outcomes == [emulator.users[0].login] + ["state_used"] * 7
    assert emulator.requests.count("POST /oauth2/token") == 1
    assert answer.wait(0).login == emulator.users[0].login


def test_pasting_the_printed_address_itself_is_a_slip_and_not_the_end(emulator, flow, monkeypatch, capsys):
    address, pending = flow.start()
    answer, (read, write) = Answer(flow, pending), os.pipe()
    with os.fdopen(read) as typed, os.fdopen(write, "w", buffering=1) as keys:
        monkeypatch.setattr("sys.stdin", typed)
        reader = threading.Thread(target=answer.read_pasted)
        reader.start()
        redirect = f"{flow.settings.redirect_uri}?state={pending.state}"  # what is left of an answer without its code
        print(address, redirect, "", consent(address, "grant"), sep="\n", file=keys)
        assert answer.wait(30).login == emulator.users[0].login
        reader.join(30)
    assert capsys.readouterr().err.count("[paste_unclear]") == 2


@pytest.mark.parametrize("code", ["good", "refused"])
def test_the_page_that_gets_the_code_tells_nobody_of_it(http, code):
    def take(query):
        if query["code"] == "refused":
            raise SignInFailed("code_refused", "<i>refused</i>")
        return replace(RECORD, name="<b>Ada</b>")

    with Listener("127.0.0.1", 0) as listener:
        listener.serve(take)
        address = f"http://127.0.0.1:{listener.port}/callback?state=s&code={code}"
        pages = [http.get(address), http.get(address.replace("/callback", "/")), http.post(address)]
    for page in pages:
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        policy = set(page.headers["Content-Security-Policy"].split("; "))
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= policy
    assert pages[0].status_code == (200 if code == "good" else 400)
    assert ("&lt;b&gt;Ada" if code == "good" else "&lt;i&gt;refused") in pages[0].text
    assert "<b>Ada" not in pages[0].text
    assert "<i>" not in pages[0].text


NASTY = "\x1b]0;mine\x07\x1b[2J\x9b31m\rAda\n\u202eadA\u2066\x00"


def test_a_name_cannot_steer_the_terminal():
    said = printable(NASTY)
    assert said.replace("�", "") == "]0;mine[2J31mAdaadA"
    assert len(said) == len(NASTY)
    assert printable("Ünïcode 😀 “quoted” العربية") == "Ünïcode 😀 “quoted” العربية"


def test_nor_can_words_that_box_is_said_to_have_said():
    said = explain(SignInFailed("box_said_no", NASTY))
    assert "adA" in said
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(said)
    assert len(said.splitlines()) > 3  # ours are lines still
