"""Sessions on the server: none is lost, none is a pickle, and reading writes nothing."""

import os
import pickle
import resource
import signal
import stat
import struct
import threading
import time

import pytest

from box_auth import private_files
from box_auth.errors import StoreUnavailable
from box_auth.flask.file_sessions import FileSessions
from box_auth.flask.sessions import own_secret_key

from .journey import Visitor
from .programs import processes


@pytest.fixture
def files(tmp_path):
    return FileSessions(tmp_path / "sessions", "app")


def test_no_live_session_is_thrown_away_however_many_there_are(files):
    for number in range(1200):
        files.set(f"session:{number}", {"number": number}, 3600)
    assert all(files.get(f"session:{number}") == {"number": number} for number in range(1200))


def set_end(file, moment):
    file.write_bytes(struct.pack("I", int(moment)) + file.read_bytes()[4:])


def test_expired_sessions_and_leftovers_are_cleared_away_and_no_others(files, tmp_path):
    files._sweeper.start_if_due().join(30)
    for name in ("over", "just over", "alive", "for ever"):
        files.set(name, {"name": name}, 3600)
    for name, end in (("over", time.time() - 7200), ("just over", time.time() - 10), ("for ever", 0)):
        set_end(files._path(name), end)
    folder = tmp_path / "sessions"
    for name in (".0123.tmp", "tmpabc.__wz_cache", ".4567.tmp"):
        (folder / name).write_bytes(b"half")
        if name != ".4567.tmp":
            os.utime(folder / name, (1, 1))
    (folder / "mine").write_bytes(b"x")
    (folder / "a folder").mkdir()
    files.clear_expired()
    assert {path.name for path in folder.iterdir()} == {
        *(files._path(name).name for name in ("just over", "alive", "for ever")),
        *(".4567.tmp", "mine", "a folder"),
    }
    assert [files.get(name) for name in ("over", "just over")] == [None, None]
    assert [files.get(name) for name in ("alive", "for ever")] == [{"name": "alive"}, {"name": "for ever"}]


def test_clearing_away_keeps_no_request_waiting_and_is_done_once_an_hour(files, monkeypatch):
    """A clearing that hangs stands for one of ten thousand files."""
    inside, go_on, sweeps = threading.Event(), threading.Event(), []

    def slow():
        sweeps.append(threading.current_thread())
        inside.set()
        assert go_on.wait(30)
        raise OSError("no folder")

    monkeypatch.setattr(files._sweeper, "_clear", slow)
    try:
        for number in range(20):
            files.set(f"session {number}", {"number": number}, 3600)
        assert inside.wait(30)
    finally:
        go_on.set()
    assert len(sweeps) == 1
    assert sweeps[0] is not threading.current_thread()
    sweeps[0].join(30)
    assert files.get("session 19") == {"number": 19}


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_pickle_that_somebody_planted_is_never_opened(files, tmp_path):
    files.set("key", {"box_user": "1"}, 3600)
    (file,) = (tmp_path / "sessions").iterdir()
    marker = tmp_path / "it-went-off"
    file.write_bytes(struct.pack("I", 0) + pickle.dumps(Bomb(str(marker))))
    assert files.get("key") is None
    assert not marker.exists()


def test_files_and_folder_are_private(files, tmp_path):
    files.set("key", {}, 3600)
    (file,) = (tmp_path / "sessions").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "sessions").stat().st_mode) == 0o700


def test_a_session_that_cannot_be_written_is_an_error(files, tmp_path):
    (tmp_path / "sessions").rmdir()
    (tmp_path / "sessions").write_text("in the way")
    with pytest.raises(StoreUnavailable):
        files.set("key", {}, 3600)


def test_a_session_that_cannot_be_read_is_an_error_and_not_nobodys(files, tmp_path):
    files._path("key").mkdir()  # root, who may run these tests, can read everything else
    with pytest.raises(StoreUnavailable):
        files.get("key")


def write_without_room(folder, results):
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # bytes: like a quota that is used up
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        FileSessions(folder, "app").set("key", {"box_user": "2", "more": "x" * 100}, 3600)
    except StoreUnavailable as error:
        results.put(error.code)


def test_a_full_disk_leaves_the_session_as_it_was_and_no_draft(files, tmp_path):
    files.set("key", {"box_user": "1"}, 3600)
    context = processes()
    results = context.Queue()
    process = context.Process(target=write_without_room, args=(tmp_path / "sessions", results))
    process.start()
    assert results.get(timeout=30) == "store_unavailable"
    process.join(30)
    assert files.get("key") == {"box_user": "1"}
    assert len(list((tmp_path / "sessions").iterdir())) == 1


@pytest.mark.parametrize("write", [private_files.write, private_files.write_unsynced])
def test_a_write_that_cannot_take_its_place_leaves_no_draft(tmp_path, write):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_somebody_reads_just_now_is_replaced_a_moment_later_as_windows_asks(tmp_path, monkeypatch):
    tries, replace_file = [], os.replace

    def in_use(source, target):
        tries.append(source)
        if len(tries) < 3:
            raise PermissionError(13, "Access is denied")
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", in_use)
    private_files.write(tmp_path / "file", b"data")
    assert ((tmp_path / "file").read_bytes(), len(tries)) == (b"data", 3)
    tries.clear()
    monkeypatch.setattr(private_files, "_PAUSES", ())
    with pytest.raises(PermissionError):
        private_files.write(tmp_path / "file", b"more")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_removing_the_folder_means_starting_over_without_a_restart(files, tmp_path):
    (tmp_path / "sessions").rmdir()
    assert files.get("key") is None
    files.set("key", {"box_user": "1"}, 3600)
    assert files.get("key") == {"box_user": "1"}


def test_a_request_that_only_reads_writes_nothing(live, visitor):
    def everything():
        return {
            (path, path.stat().st_mtime_ns, path.stat().st_ino)
            for path in (live.folder / "instance").rglob("*")
            if path.is_file()
        }

    visitor.get(visitor.callback_address(), allow_redirects=False)  # signed in, and no page seen yet
    before = everything()
    assert len(before) >= 3
    for path in ("/", "/dashboard", "/static/style.css", "/dashboard?page=2", "/nowhere"):
        visitor.get(path)
    assert everything() == before


def test_a_session_in_use_is_written_again_once_a_day_and_lives_on(live, visitor):
    import json

    visitor.sign_in()
    (file,) = (live.folder / "instance" / "sessions").glob("*")
    raw = file.read_bytes()
    content = json.loads(raw[4:])
    content["values"]["box_touched"] -= 86500
    file.write_bytes(struct.pack("I", int(time.time()) + 100) + json.dumps(content).encode())
    assert visitor.get("/dashboard").status_code == 200
    (expires,) = struct.unpack("I", file.read_bytes()[:4])
    assert expires > time.time() + 59 * 86400


def make_key(folder, start, results):
    start.wait(60)
    try:
        results.put(own_secret_key(folder))
    except StoreUnavailable as error:
        results.put(str(error))


def test_the_secret_key_is_made_once_by_many_processes_and_is_private(tmp_path):
    context = processes()
    results, start = context.Queue(), context.Barrier(30)
    makers = [context.Process(target=make_key, args=(tmp_path / "instance", start, results)) for _ in range(30)]
    for process in makers:
        process.start()
    keys = {results.get(timeout=60) for _ in makers}
    for process in makers:
        process.join(30)
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    file = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_sixteen_users_at_once_each_see_their_own_pages_only(emulator, live):
    visitors = []
    for number in range(16):
        user = emulator.add_user(f"Person-{number:02} Example", f"person{number:02}@example.com")
        emulator.add_item(user, f"belongs-to-{number:02}.txt")
        visitor = Visitor(live.url)
        visitor.sign_in(user.login)
        visitors.append(visitor)
    mixed, start = [], threading.Barrier(16)

    def look(number, visitor):
        start.wait()
        for _ in range(8):
            page = visitor.get("/dashboard").text
            others = [other for other in range(16) if other != number and f"{other:02}" in names_in(page)]
            if f"belongs-to-{number:02}.txt" not in page or others:
                mixed.append((number, others))

    threads = [threading.Thread(target=look, args=pair) for pair in enumerate(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for visitor in visitors:
        visitor.http.close()
    assert mixed == []


def names_in(page: str) -> set[str]:
    import re

    return set(re.findall(r"(?:Person-|person|belongs-to-)(\d\d)", page))
