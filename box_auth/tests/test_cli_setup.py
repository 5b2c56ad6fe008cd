"""`flask box setup`: two values from a person at a terminal into `.env`, tried at Box first."""

import os
import re
import stat
import sys
from types import SimpleNamespace

import pytest
from dotenv import dotenv_values

from box_auth import config
from box_auth.cli import setup
from box_auth.cli.env_file import EnvFile, with_value
from box_auth.errors import BoxAuthError

from .journey import ROOT, free_port
from .terminal import Pty, flask_box

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix terminal")

SAMPLE = (ROOT / ".env.sample").read_text("utf-8")
ID, SECRET, REPLACE, ANYWAY = "CLIENT_ID:", "CLIENT_SECRET (not shown", "Replace it?", "all the same?"


@pytest.fixture
def at(fork, emulator, box):
    """Starts the command in a terminal, with Box being the emulator."""
    (fork / ".env.sample").write_text(SAMPLE, "utf-8")

    def start(**settings):
        return Pty(fork, "-m", "flask", "box", "setup", BOX_API_URL=box.url, **settings)

    return start


@pytest.fixture
def app(emulator):
    return emulator.app


def kept(fork) -> tuple[str | None, str | None]:
    values = dotenv_values(fork / ".env")
    return values.get("CLIENT_ID"), values.get("CLIENT_SECRET")


def test_two_values_are_tried_at_box_and_written_into_a_file_made_from_the_sample(fork, at, app, emulator):
    port = str(free_port())
    with at(CALLBACK_PORT=port) as terminal:
        terminal.answer(ID, app.client_id)
        terminal.answer(SECRET, app.client_secret)
        assert terminal.end() == 0, terminal.output
    assert f"    http://127.0.0.1:{port}/callback\r\n" in terminal.output
    assert "one at a time" in terminal.output.partition(ID)[0]  # both at once, and the secret would be shown
    assert "Box knows the app's id and secret." in terminal.output
    assert emulator.requests.count("POST /oauth2/token") == 1
    assert app.client_secret not in terminal.output
    written = (fork / ".env").read_text("utf-8")
    expected = SAMPLE.replace("YOUR_CLIENT_ID", app.client_id).replace("YOUR_CLIENT_SECRET", app.client_secret)
    assert written == expected
    assert stat.S_IMODE((fork / ".env").stat().st_mode) == 0o600
    assert sorted(path.name for path in fork.iterdir() if path.name.startswith((".env", ".."))) == [
        ".env",
        ".env.sample",
    ]
    assert config.read(fork, {})["CLIENT_ID"] == app.client_id


def test_without_a_sample_the_file_holds_the_two_values_alone(fork, at, app):
    (fork / ".env.sample").unlink()
    with at() as terminal:
        terminal.answer(ID, app.client_id)
        terminal.answer(SECRET, app.client_secret)
        assert terminal.end() == 0, terminal.output
    assert (fork / ".env").read_text() == f"CLIENT_ID = {app.client_id}\nCLIENT_SECRET = {app.client_secret}\n"


def test_a_value_that_is_there_is_replaced_only_when_the_person_says_so(fork, at, app):
    (fork / ".env").write_text(f"CLIENT_ID = {app.client_id}\nCLIENT_SECRET = old\n# mine\n")
    (fork / ".env").chmod(0o640)
    with at() as terminal:
        terminal.answer(REPLACE, "")  # the id: no
        terminal.answer(REPLACE, "y")
        terminal.answer(SECRET, app.client_secret)
        assert terminal.end() == 0, terminal.output
    assert (fork / ".env").read_text() == f"CLIENT_ID = {app.client_id}\nCLIENT_SECRET = {app.client_secret}\n# mine\n"
    assert stat.S_IMODE((fork / ".env").stat().st_mode) == 0o640
    assert "chmod 600" not in terminal.output
    (fork / ".env").chmod(0o644)
    before = (fork / ".env").stat().st_mtime_ns
    with at() as terminal:
        terminal.answer(REPLACE, "n")
        terminal.answer(REPLACE, "n")
        assert terminal.end() == 0, terminal.output
    assert "it stays as it is" in terminal.output
    assert "can read your .env. To keep it to yourself: chmod 600 .env" in terminal.output
    assert (fork / ".env").stat().st_mtime_ns == before


def test_what_cannot_be_a_value_is_asked_for_again(fork, at, app):
    with at() as terminal:
        for wrong, said in (
            ("", "That was empty."),
            ("YOUR_CLIENT_ID", "That is the placeholder"),
            ("two words", "There are blanks"),
            ("quo'te", "There are blanks"),
            ("a\u202eb", "There are blanks"),
        ):
            terminal.answer(ID, wrong)
            terminal.answer(said, "", end="")
        terminal.answer(ID, f"  CLIENT_ID = '{app.client_id}' ")
        terminal.answer(SECRET, "se cret")
        terminal.answer("There are blanks", "", end="")
        terminal.answer(SECRET, f'"{app.client_secret}"')
        assert terminal.end() == 0, terminal.output
    assert kept(fork) == (app.client_id, app.client_secret)
    assert "se cret" not in terminal.output


def test_what_box_refuses_is_not_written_unless_the_person_insists(fork, at, app):
    for insist, status, written in (("", 1, None), ("y", 0, (app.client_id, "wrong"))):
        with at() as terminal:
            terminal.answer(ID, app.client_id)
            terminal.answer(SECRET, "wrong")
            terminal.answer(ANYWAY, insist)
            assert terminal.end() == status, terminal.output
        assert "[client_refused]" in terminal.output
        assert not written or kept(fork) == written
        assert (fork / ".env").exists() == bool(written)


def test_when_box_is_away_it_offers_to_write_all_the_same(fork, at, app):
    for insist, status in (("n", 1), ("y", 0)):
        with Pty(fork, "-m", "flask", "box", "setup", BOX_API_URL=f"http://127.0.0.1:{free_port()}") as terminal:
            terminal.answer(ID, app.client_id)
            terminal.answer(SECRET, app.client_secret)
            terminal.answer(ANYWAY, insist)
            assert terminal.end() == status, terminal.output
        assert "[box_unreachable]" in terminal.output
        assert (fork / ".env").exists() == (insist == "y")


@pytest.mark.parametrize("keys", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize("question", [ID, SECRET])
def test_it_can_be_stopped_at_every_question_and_writes_nothing(fork, at, app, question, keys):
    with at() as terminal:
        if question == SECRET:
            terminal.answer(ID, app.client_id)
        terminal.answer(question, "", end="")
        assert terminal.press(keys) == 130, terminal.output
    assert "Stopped." in terminal.output
    assert "Traceback" not in terminal.output
    assert not (fork / ".env").exists()


def test_without_a_terminal_it_asks_nothing(fork):
    done = flask_box(fork, "setup")
    assert (done.returncode, "[no_terminal]" in done.stderr) == (1, True)
    assert not (fork / ".env").exists()


def test_settings_that_are_wrong_otherwise_are_told_before_anything_is_asked(fork, at):
    for content, said in ((b"CALLBACK_PORT = five\n", "CALLBACK_PORT must be"), (b"\xff\xfeC\x00", "save it as UTF-8")):
        (fork / ".env").write_bytes(content)
        with at() as terminal:
            assert terminal.end() == 1, terminal.output
        assert said in terminal.output
        assert ID not in terminal.output
        assert (fork / ".env").read_bytes() == content


def test_what_is_no_file_that_can_be_written_is_told_before_anything_is_asked(fork, at):
    (fork / ".env").mkdir()
    with at() as terminal:
        assert terminal.end() == 1, terminal.output
    assert "[env_unusable]" in terminal.output
    assert ID not in terminal.output


def test_a_pipe_that_nobody_writes_to_is_told_and_not_waited_for(fork, at):
    os.mkfifo(fork / ".env")
    with at(FLASK_SKIP_DOTENV="1") as terminal:  # Flask itself would open it, before the app is asked
        assert terminal.end() == 1, terminal.output
    assert "The file .env is a pipe" in terminal.output
    assert "[env_unusable]" in terminal.output
    assert ID not in terminal.output
    assert stat.S_ISFIFO((fork / ".env").stat().st_mode)


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_ordinary_file_is_neither_read_nor_replaced(tmp_path, monkeypatch, kind, linked):
    thing = tmp_path / ("thing" if linked else ".env")
    if linked:
        (tmp_path / ".env").symlink_to(thing)
    {"pipe": os.mkfifo, "folder": os.mkdir, "loop": lambda path: path.symlink_to(path)}[kind](thing)
    before = thing.lstat()
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(setup, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    with pytest.raises(BoxAuthError) as raised:
        setup.connect(tmp_path)
    assert raised.value.code == "env_unusable"
    assert thing.lstat() == before


def test_a_link_stays_one_and_the_file_that_it_leads_to_changes(fork, at, app, tmp_path):
    target = tmp_path / "elsewhere" / "settings"
    target.parent.mkdir()
    target.write_text("# shared\n")
    (fork / ".env").symlink_to(target)
    with at() as terminal:
        terminal.answer("is a link", "", end="")
        terminal.answer(ID, app.client_id)
        terminal.answer(SECRET, app.client_secret)
        assert terminal.end() == 0, terminal.output
    assert (fork / ".env").is_symlink()
    assert target.read_text() == f"# shared\nCLIENT_ID = {app.client_id}\nCLIENT_SECRET = {app.client_secret}\n"


def test_a_setting_of_the_environment_that_wins_is_named(fork, at, app):
    with at(CLIENT_ID="another") as terminal:
        terminal.answer(ID, app.client_id)
        terminal.answer(SECRET, app.client_secret)
        assert terminal.end() == 0, terminal.output
    assert "CLIENT_ID is also set in the environment" in terminal.output


# -------- The file alone


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", "A = new\n"),
        ("B=1", "B=1\nA = new\n"),
        ("B=1\r\n", "B=1\r\nA = new\r\n"),
        ("\ufeffA = YOUR_A\r\nB = 2\r\n", "\ufeffA = new\r\nB = 2\r\n"),
        ("# A = off\n  export A=old   # why\nB = 2", "# A = off\n  export A=new   # why\nB = 2"),
        ("A = 'o # d' # why\n", "A = new # why\n"),
        ("A = first\nA = second\n", "A = first\nA = new\n"),
        ("A=\nB=2\n", "A=new\nB=2\n"),
        ("A\nB=2\n", "A = new\nB=2\n"),
        ("A = old#no comment\n", "A = new\n"),
        ('B = "\nA = in the text\n"\n\nA = old\n', 'B = "\nA = in the text\n"\n\nA = new\n'),
        ("odd line: A = x\nAB = 1\nA = old\n\n# end\n", "odd line: A = x\nAB = 1\nA = new\n\n# end\n"),
    ],
)
def test_only_the_value_changes(text, changed):
    assert with_value(text, "A", "new") == changed


def test_a_file_that_somebody_else_changes_meanwhile_is_left_alone(tmp_path):
    (tmp_path / ".env").write_text("B = 1\n")
    file = EnvFile(tmp_path)
    (tmp_path / ".env").write_text("B = 2\n")
    with pytest.raises(BoxAuthError, match="changed it in the meantime"):
        file.write({"CLIENT_ID": "x"})
    assert (tmp_path / ".env").read_text() == "B = 2\n"
    (tmp_path / ".env").unlink()
    (new := EnvFile(tmp_path)).write({"CLIENT_ID": "x"})
    with pytest.raises(BoxAuthError, match="changed it in the meantime"):
        new.write({"CLIENT_ID": "y"})


def test_what_may_not_be_written_is_found_before_anything_is_asked(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("B = 1\n")
    monkeypatch.setattr(os, "access", lambda path, mode: not re.search(r"\.env$", str(path)))  # root may do anything
    with pytest.raises(BoxAuthError, match="may not be written to"):
        EnvFile(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BoxAuthError, match="folder may not be written to"):
        EnvFile(tmp_path)


def test_a_file_keeps_its_group_or_what_another_group_could_do_with_it(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("B = 1\n")
    groups = [7654] if os.geteuid() == 0 else [group for group in os.getgroups() if group != file.stat().st_gid]
    if not groups:
        pytest.skip("needs a second group")

    def changed(value: str) -> tuple[int, int]:
        os.chown(file, -1, groups[0])
        file.chmod(0o640)
        with monkeypatch.context() as patch:
            if value == "refused":
                patch.setattr(os, "chown", refuse)
            EnvFile(tmp_path).write({"CLIENT_ID": value})
        return file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)

    def refuse(*_):
        raise PermissionError

    assert changed("kept") == (groups[0], 0o640)
    group, mode = changed("refused")
    assert group != groups[0]
    assert mode == 0o600


def test_a_value_that_would_be_read_as_another_is_not_written(tmp_path):
    with pytest.raises(BoxAuthError, match="not be read as it was typed"):
        EnvFile(tmp_path).write({"CLIENT_ID": "a${HOME}"})
    assert not (tmp_path / ".env").exists()


def test_what_is_not_text_is_left_alone(tmp_path):
    (tmp_path / ".env").write_bytes(b"A = \xff\n")
    with pytest.raises(BoxAuthError, match="not UTF-8"):
        EnvFile(tmp_path)
