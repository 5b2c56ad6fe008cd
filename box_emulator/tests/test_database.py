"""What the emulator remembers, and what happens when several processes share it."""

import multiprocessing
import sqlite3
import stat

import pytest

from box_emulator import Emulator, WrongDatabase
from box_emulator.errors import OAuthError
from box_emulator.tokens import Grant

ADA = "ada@example.com"


# Processes that begin where another one has imported the emulator already, and share nothing else with it.
CONTEXT = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
CONTEXT.set_forkserver_preload([__name__])


def at_once(count, work, *arguments):
    """Call a function with an emulator in ``count`` processes that start together; return what each of them returned.

    The function is one of this module's; the emulator's file is the first of the arguments.
    """
    gate, results = CONTEXT.Barrier(count), CONTEXT.SimpleQueue()
    processes = [CONTEXT.Process(target=begin, args=(gate, results, work, *arguments)) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * count
    return [results.get() for _ in range(count)]


def begin(gate, results, work, file, *arguments):
    gate.wait(30)
    emulator = Emulator(file)
    results.put(work(emulator, *arguments))
    emulator.close()


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
    with pytest.raises(WrongDatabase, match="version 99, and this emulator reads version 3"):
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


def count_all(emulator):
    return [(user.login, emulator.items.count(emulator.items.get(user.id, "0"))) for user in emulator.users]


def test_many_processes_may_make_the_same_file_at_once(file, emulator):
    assert at_once(6, count_all, file) == [count_all(emulator)] * 6


def use(emulator, code, token):
    """Try to redeem a code and a refresh token, and tell of each whether it worked."""
    worked = []
    for redeem, what in ((emulator.codes.redeem, code), (emulator.tokens.refresh, token)):
        try:
            redeem(emulator.app.client_id, what)
            worked.append(True)
        except OAuthError:
            worked.append(False)
    return worked


def test_of_many_processes_exactly_one_redeems_a_code_and_one_a_refresh_token(file):
    emulator = Emulator(file)
    code = emulator.codes.issue(Grant(emulator.app.client_id, emulator.users[0].id))
    token = emulator.sign_in(ADA).refresh_token
    emulator.close()
    codes, tokens = zip(*at_once(6, use, file, code, token), strict=True)
    assert sorted(codes) == sorted(tokens) == [False] * 5 + [True]


def advance(emulator):
    emulator.clock.advance(60)
    return emulator.clock.now()


def test_time_is_the_same_for_all_processes(file):
    emulator = Emulator(file)
    emulator.clock.freeze()
    before = emulator.clock.now()
    later = sorted(at_once(3, advance, file))
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
