"""Sessions on the server: none is lost, none is a pickle, and reading writes nothing."""

import os
import pickle
import stat
import struct
import threading
import time

import pytest

from box_auth.errors import StoreUnavailable
from box_auth.flask.sessions import SessionFiles, own_secret_key

from .journey import Visitor
from .programs import processes


@pytest.fixture
def files(tmp_path):
    return SessionFiles(tmp_path / "sessions")


def test_no_live_session_is_thrown_away_however_many_there_are(files):
    for number in range(1200):
        files.set(f"session:{number}", {"number": number}, 3600)
    assert all(files.get(f"session:{number}") == {"number": number} for number in range(1200))


def test_expired_sessions_and_leftovers_are_cleared_away(files, tmp_path):
    files.set("old", {"box_user": "1"}, 3600)
    (old,) = (tmp_path / "sessions").iterdir()
    old.write_bytes(struct.pack("I", int(time.time()) - 10) + old.read_bytes()[4:])
    left = tmp_path / "sessions" / "tmpabc.__wz_cache"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    assert files.get("old") is None
    SessionFiles(tmp_path / "sessions").set("new", {}, 3600)
    assert len(list((tmp_path / "sessions").iterdir())) == 1


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
    content["box_touched"] -= 86500
    file.write_bytes(struct.pack("I", int(time.time()) + 100) + json.dumps(content).encode())
    assert visitor.get("/dashboard").status_code == 200
    (expires,) = struct.unpack("I", file.read_bytes()[:4])
    assert expires > time.time() + 59 * 86400


def make_key(folder, results):
    results.put(own_secret_key(folder))


def test_the_secret_key_is_made_once_by_many_processes_and_is_private(tmp_path):
    context = processes()
    results = context.Queue()
    makers = [context.Process(target=make_key, args=(tmp_path / "instance", results)) for _ in range(6)]
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
