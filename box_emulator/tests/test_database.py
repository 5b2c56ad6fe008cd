"""What the emulator remembers, and what happens when several processes share it."""

import sqlite3
import stat
import subprocess
import sys

import pytest

from box_emulator import Emulator, WrongDatabase
from box_emulator.tokens import Grant

from .processes import ROOT, clean_environment

ADA = "ada@example.com"


def at_once(count, program, *arguments):
    """Run a Python program in ``count`` processes that start together, and return what each printed."""
    gate = "import sys; from box_emulator import *; from box_emulator.errors import OAuthError; sys.stdin.readline()\n"
    command = [sys.executable, "-c", gate + program, *map(str, arguments)]
    options = {"cwd": ROOT, "env": clean_environment(), "text": True}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, **options, **pipes) for _ in range(count)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=30) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, results
    return [output.strip() for output, _ in results]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "box.sqlite3"


def test_users_files_tokens_and_time_survive_a_restart(file):
    emulator = Emulator(file)
    item = emulator.add_item(ADA, "kept.txt", content=b"kept")
    pair = emulator.sign_in(ADA)
    emulator.clock.advance(3000)
    before = emulator.clock.now()
    emulator.close()

    emulator = Emulator(file)
    user = emulator.users.named(ADA)
    assert emulator.items.get(user.id, item.id) == item
    assert emulator.items.content(item.id) == b"kept"
    assert emulator.tokens.authenticate(pair.access_token).user == user.id
    assert before <= emulator.clock.now() < before + 60
    assert len(emulator.users) == 3
    emulator.close()


def test_the_file_is_for_its_owner_alone(file):
    emulator = Emulator(file)
    emulator.add_item(ADA, "something.txt")
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in file.parent.rglob("*")}
    emulator.close()
    assert modes == {(False, 0o600), (True, 0o700)}


def test_the_first_users_are_made_only_if_there_are_none(file):
    emulator = Emulator(file)
    with emulator.database.transaction() as transaction:
        transaction.execute("DELETE FROM users WHERE login <> ?", (ADA,))
    emulator.close()
    emulator = Emulator(file)
    assert [user.login for user in emulator.users] == [ADA]
    emulator.close()


def test_a_file_of_another_version_is_refused_and_left_as_it_is(file):
    Emulator(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(WrongDatabase, match="version 99, and this emulator reads version 2"):
        Emulator(file)
    assert file.read_bytes() == before


def test_somebody_elses_database_is_refused_and_left_as_it_is(file):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(WrongDatabase, match="version 0"):
        Emulator(file)
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(file):
    file.write_text("a diary, and nobody's business\n" * 100)
    before = file.read_bytes()
    with pytest.raises(WrongDatabase, match="not a database"):
        Emulator(file)
    assert file.read_bytes() == before


def test_many_processes_may_make_the_same_file_at_once(file):
    program = (
        "e = Emulator(sys.argv[1])\n"
        "print(len(e.users), *(e.items.count(e.items.get(user.id, '0')) for user in e.users))\n"
        "e.close()\n"
    )
    (alone,) = at_once(1, program, ":memory:")
    assert at_once(6, program, file) == [alone] * 6


def test_of_many_processes_exactly_one_redeems_a_code_and_one_a_refresh_token(file):
    emulator = Emulator(file)
    client = emulator.app.client_id
    code = emulator.codes.issue(Grant(client, emulator.users[0].id))
    token = emulator.sign_in(ADA).refresh_token
    program = (
        "e = Emulator(sys.argv[1])\n"
        "for use, what in ((e.codes.redeem, sys.argv[2]), (e.tokens.refresh, sys.argv[3])):\n"
        "    try: use(e.app.client_id, what); print('won')\n"
        "    except OAuthError as error: print('lost')\n"
        "e.close()\n"
    )
    outputs = [output.split() for output in at_once(6, program, file, code, token)]
    emulator.close()
    assert sorted(first for first, _ in outputs) == ["lost"] * 5 + ["won"]
    assert sorted(second for _, second in outputs) == ["lost"] * 5 + ["won"]


def test_time_is_the_same_for_all_processes(file):
    emulator = Emulator(file)
    emulator.clock.freeze()
    program = "e = Emulator(sys.argv[1]); e.clock.advance(60); print(e.clock.now()); e.close()"
    before = emulator.clock.now()
    later = sorted(float(output) for output in at_once(3, program, file))
    assert later[-1] == pytest.approx(before + 180)
    assert emulator.clock.now() == pytest.approx(before + 180)
    emulator.close()


def test_a_transaction_that_fails_leaves_no_trace(emulator):
    def fail_half_way():
        with emulator.database.transaction():
            emulator.add_item(ADA, "half.txt")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    emulator.add_item(ADA, "half.txt")
