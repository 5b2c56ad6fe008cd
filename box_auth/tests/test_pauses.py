"""Who waits for what another process does comes hardly late, and looks seldom when it takes long."""

import pytest

from box_auth import private_files
from box_auth.errors import SignInBusy
from box_auth.pauses import pause_after
from box_auth.stores import redis_lock
from box_auth.stores.files import FileStore
from box_auth.stores.redis import RedisStore, connect

from .redis_server import RedisServer, needs_redis
from .store_contract import PLAIN, RECORD


def test_two_percent_late_or_a_millisecond_and_few_looks_in_the_end():
    waited, looks = 0.0, 0
    while waited < 90:
        pause = pause_after(waited)
        assert pause <= max(0.001, waited / 50)
        waited, looks = waited + pause, looks + 1
    assert looks < 2100


def looks_for(store, module, monkeypatch):
    """After how many seconds of waiting for a lock somebody who gets none has looked."""
    looks = []

    def watched(waited):
        looks.append(waited)
        return pause_after(waited)

    monkeypatch.setattr(module, "pause_after", watched)
    user = RECORD.user_id
    with store.lock(user), pytest.raises(SignInBusy), store.lock(user, wait=0.5):
        pytest.fail("two holders at once")
    return looks


def test_for_a_lock_on_a_file(tmp_path, monkeypatch):
    looks = looks_for(FileStore(tmp_path / "tokens", PLAIN), private_files, monkeypatch)
    assert len(looks) > 5


@needs_redis
def test_for_a_lock_in_redis(monkeypatch):
    with RedisServer() as server:
        looks = looks_for(RedisStore(connect(server.url), PLAIN), redis_lock, monkeypatch)
    assert len(looks) > 5
