"""The token store in files: the contract, and what only files can suffer."""

import gc
import json
import os
import resource
import signal
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from box_auth import private_files
from box_auth.errors import StoreUnavailable
from box_auth.stores import files
from box_auth.stores.files import FileStore
from box_auth.stores.record import Plain, TokenRecord

from .programs import processes
from .store_contract import APP, FILE, FIRST, PLAIN, RECORD, StoreContract, save

USER = RECORD.user_id


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "tokens", PLAIN)


@pytest.fixture
def other(store):
    return FileStore(store.folder, PLAIN)


@pytest.fixture
def neighbour(store):
    return FileStore(store.folder, Plain("another"))


@pytest.fixture
def put_first(store):
    store.folder.mkdir()
    return (store.folder / f"{USER}.json").write_bytes


@pytest.fixture
def lose(store):
    return lambda user_id: next(store.folder.glob(f".{user_id}*.lock")).unlink()


class TestFileStore(StoreContract):
    pass


def test_folder_and_files_are_private_and_the_file_is_plain_versioned_json(store):
    save(store, RECORD)
    file = store.folder / FILE
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["version"] == 2


def test_a_folder_that_was_open_to_others_is_closed(store):
    store.folder.mkdir(mode=0o755)
    save(store, RECORD)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


GOOD = json.dumps({"version": 2, "app": APP, **RECORD.__dict__})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD.encode()[:-20],
        b"\x80\x04\x95binary\x00\xff",
        GOOD.replace('"version": 2', '"version": 3').encode(),
        GOOD.replace(APP, "another").encode(),
        GOOD.replace(USER, "999").encode(),
        GOOD.replace('"access-1"', "17").encode(),
        GOOD.replace("1700000000.25", '"yesterday"').encode(),
        b"[]",
        b"null",
        b"[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_not_deleted(store, content):
    save(store, RECORD)
    (store.folder / FILE).write_bytes(content)
    assert store.load(USER) is None
    (aside,) = store.folder.glob("*unreadable*")
    assert aside.read_bytes() == content
    assert store.users() == []
    save(store, RECORD)
    assert store.load(USER) == RECORD


def test_it_remembers_only_so_many_users(store, monkeypatch):
    monkeypatch.setattr(files, "REMEMBERED", 3)
    records = [replace(RECORD, user_id=str(number), grant="remembered") for number in range(1, 11)]
    for record in records:
        save(store, record)
    assert [store.load(record.user_id) for record in records * 2] == records * 2
    gc.collect()
    alive = [known for known in gc.get_objects() if isinstance(known, TokenRecord) and known.grant == "remembered"]
    assert len(alive) <= len(records) + 3


def test_deleting_the_file_by_hand_means_starting_over(store):
    save(store, RECORD)
    assert store.load(USER) == RECORD
    (store.folder / FILE).unlink()
    assert store.load(USER) is None


def swept():
    """Wait until what was begun to be cleared is."""
    for thread in threading.enumerate():
        if thread.name == "box-sweeper":
            thread.join()


def test_what_a_dead_process_left_half_written_is_cleared_away_by_a_refresh_too(store):
    store.folder.mkdir()
    left = store.folder / f".{USER}-{APP}.0123456789abcdef.tmp"
    left.write_text("half")
    os.utime(left, (time.time() - 3700,) * 2)
    save(store, RECORD)
    swept()
    assert not left.exists()


def test_a_change_looks_at_nobody_elses_files(store, monkeypatch):
    save(store, RECORD)
    swept()

    def looked(*_):
        pytest.fail("it lists the folder, which has two files for each user")

    monkeypatch.setattr(os, "scandir", looked)
    monkeypatch.setattr(os, "listdir", looked)
    save(store, replace(RECORD, access_token="newer"))
    assert store.load(USER).access_token == "newer"


def test_what_a_killed_health_check_left_is_cleared_away_in_an_hour_and_nothing_else(store, monkeypatch):
    save(store, RECORD)
    assert store.use_once("a", 60)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # killed before it took its draft away
    store.check_writable()
    monkeypatch.undo()
    kept = {path.name for path in store.folder.rglob("*")}
    (left,) = store.folder.glob(".*.tmp")
    for age, there in ((1800, kept), (3700, kept - {left.name})):
        os.utime(left, (time.time() - age,) * 2)
        store._clear_leftovers()
        assert {path.name for path in store.folder.rglob("*")} == there


def test_a_place_that_cannot_be_used_is_an_error_that_names_the_folder_and_no_token(tmp_path):
    (tmp_path / "tokens").write_text("a file where the folder should be")
    store = FileStore(tmp_path / "tokens", PLAIN)
    for attempt in (lambda: save(store, RECORD), lambda: store.load(USER), lambda: store.check_writable()):
        with pytest.raises(StoreUnavailable, match="tokens") as caught:
            attempt()
        assert "access-1" not in str(caught.value)


def write_again_and_again(folder, worker, stop):
    store, number = FileStore(folder, PLAIN), 0
    while not stop.is_set():
        number += 1
        with store.lock(USER) as held:
            held.save(replace(RECORD, access_token=f"{worker}-{number}", refresh_token=f"{worker}-{number}"))


def read_again_and_again(folder, results):
    store, seen = FileStore(folder, PLAIN), set()
    for _ in range(2000):
        record = store.load(USER)
        if record is None or record.access_token != record.refresh_token:
            results.put("a read failed")
            return
        seen.add(record.access_token)
    results.put(len(seen))


def test_eight_processes_read_and_write_one_users_file_and_no_read_ever_fails(store):
    save(store, replace(RECORD, access_token="first", refresh_token="first"))
    context = processes()
    stop, results = context.Event(), context.Queue()
    writers = [context.Process(target=write_again_and_again, args=(store.folder, number, stop)) for number in range(4)]
    readers = [context.Process(target=read_again_and_again, args=(store.folder, results)) for _ in range(4)]
    for process in writers + readers:
        process.start()
    outcomes = [results.get(timeout=60) for _ in readers]
    stop.set()
    for process in writers + readers:
        process.join(30)
    assert [process.exitcode for process in writers + readers] == [0] * 8
    assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
    assert max(outcomes) > 1  # the file did change under the readers
    assert not list(store.folder.glob("*unreadable*"))


def save_with_a_full_disk(folder, results):
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # bytes: like a quota that is used up
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = FileStore(folder, PLAIN)
    for attempt in (lambda: store.check_writable(), lambda: save(store, replace(RECORD, access_token="new"))):
        try:
            attempt()
            results.put("it worked")
        except StoreUnavailable as error:
            results.put(error.code)


def test_a_full_disk_is_noticed_before_a_refresh_and_loses_nothing(store):
    save(store, RECORD)
    context = processes()
    results = context.Queue()
    process = context.Process(target=save_with_a_full_disk, args=(store.folder, results))
    process.start()
    assert [results.get(timeout=30) for _ in range(2)] == ["store_unavailable"] * 2
    process.join(30)
    assert store.load(USER) == RECORD
    assert not list(store.folder.glob(".*.tmp"))


def try_to_save(folder, results):
    if os.geteuid() == 0:  # root may write anywhere; be somebody who may not
        os.setgid(65534)
        os.setuid(65534)
    try:
        save(FileStore(folder, PLAIN), RECORD)
        results.put("saved")
    except StoreUnavailable as error:
        results.put(str(error))


def test_a_read_only_folder_is_an_error_that_says_so(store):
    save(store, RECORD)
    store.folder.chmod(0o500)
    context = processes()
    results = context.Queue()
    process = context.Process(target=try_to_save, args=(store.folder, results))
    process.start()
    said = results.get(timeout=30)
    process.join(30)
    store.folder.chmod(0o700)
    assert "Permission denied" in said or "not permitted" in said
    assert store.load(USER) == RECORD


def test_a_record_is_on_the_disk_before_it_takes_its_place_and_its_place_before_anybody_hears(store, monkeypatch):
    """Otherwise a power cut could leave an empty file, or bring back the refresh token that Box has used up."""
    save(store, RECORD)
    steps, fsync, replace_file = [], os.fsync, os.replace

    def watched_fsync(descriptor):
        status = os.fstat(descriptor)
        what = "folder" if stat.S_ISDIR(status.st_mode) else f"file of {status.st_size} bytes"
        steps.append((what, status.st_ino))
        fsync(descriptor)

    def watched_replace(source, target):
        steps.append(("in place", os.stat(source).st_ino))
        replace_file(source, target)

    monkeypatch.setattr(private_files.os, "fsync", watched_fsync)
    monkeypatch.setattr(private_files.os, "replace", watched_replace)
    save(store, RECORD)
    monkeypatch.undo()
    file = (store.folder / FILE).stat()
    assert steps == [
        (f"file of {file.st_size} bytes", file.st_ino),
        ("in place", file.st_ino),
        ("folder", store.folder.stat().st_ino),
    ]


def test_a_disk_that_cannot_sync_a_folder_loses_nothing(store, monkeypatch):
    fsync = os.fsync

    def on_some_network_disks(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", on_some_network_disks)
    save(store, RECORD)
    assert store.load(USER) == RECORD


def test_a_record_of_version_1_that_somebody_moves_on_just_now_is_found(store, other, put_first, monkeypatch):
    put_first(json.dumps(FIRST).encode())
    read_bytes = Path.read_bytes

    def moved(path):
        if path.name == f"{USER}.json":
            monkeypatch.undo()
            other.load(USER)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", moved)
    assert store.load(USER) == RECORD
