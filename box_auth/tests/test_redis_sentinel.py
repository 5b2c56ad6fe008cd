"""Redis behind Sentinel, with real processes: the primary dies, and nobody's sign-in does."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis

from box_auth.errors import LockLost
from box_auth.stores import redis_lock, redis_sentinel
from box_auth.stores.record import Plain, app_id
from box_auth.stores.redis import RedisStore, connect

from .certificates import Certificate
from .journey import App, Visitor, checkout, free_port, live_settings, running
from .redis_sentinels import SERVICE, Sentinel, Sentinels
from .redis_server import RedisServer, needs_redis
from .store_contract import PLAIN, RECORD, save
from .test_redis_access import failing, use

USER = RECORD.user_id

pytestmark = needs_redis


@pytest.fixture
def behind():
    with Sentinels(password="hush") as behind:
        yield behind


def another(url):
    """A client with connections of its own, as another process would have it."""
    return connect.__wrapped__(url)


def test_what_the_address_names_is_found_and_what_is_wrong_in_it_is_named(behind):
    use(behind.url)
    away = f"127.0.0.1:{free_port()}"
    use(behind.url.replace("@", f"@{away},"))
    with failing("redis_service"):
        use(behind.url.replace(SERVICE, "private-ca").replace("@", f"@{away},"))
    with failing("redis_refused"):
        use(behind.url.replace(":hush@", ":hush-hush@"))
    with failing("redis_refused"):
        use(behind.url.replace(":hush@", ""))
    database = another(behind.url.replace("/0", "/3"))
    database.set("here", 1)
    assert behind.client(behind.primary).info("keyspace")["db3"]["keys"] == 1


def test_sentinels_that_are_all_away_are_named_at_once_when_it_was_long(monkeypatch):
    monkeypatch.setattr(redis_sentinel, "PATIENCE", 0.3)
    store = RedisStore(connect(f"redis+sentinel://:hush@127.0.0.1:{free_port()},[::1]:{free_port()}/name"), PLAIN)
    begun = time.monotonic()
    with failing("redis_away", says="No sentinel answers."):
        store.load(USER)
    assert time.monotonic() - begun >= 0.3
    begun = time.monotonic()
    with failing("redis_away", says="No sentinel answers."):
        store.load(USER)
    assert time.monotonic() - begun < 0.3


def test_a_sentinel_that_hangs_holds_up_one_connection_and_no_other(behind):
    client = connect(behind.url)
    hanging = behind.sentinels[0]
    os.kill(hanging.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        client.ping()
        assert redis_sentinel._TIMEOUT <= time.monotonic() - begun < 2 * redis_sentinel._TIMEOUT
        client.connection_pool.disconnect()
        begun = time.monotonic()
        client.ping()
        assert time.monotonic() - begun < redis_sentinel._TIMEOUT
    finally:
        os.kill(hanging.pid, signal.SIGCONT)


def test_a_sentinel_that_still_names_the_old_primary_is_not_believed(behind):
    with RedisServer(password="hush") as old, Sentinel(old, f"auth-pass {SERVICE} hush") as late:
        behind.kill_primary()
        another(behind.url).set("new", 1)  # when there is another primary
        assert another(behind.url.replace("@", f"@127.0.0.1:{late.port},")).exists("new")


def test_sentinels_have_a_user_and_a_certificate_of_their_own(tmp_path):
    authority = Certificate(tmp_path, "authority")
    shown = Certificate(tmp_path, "redis", authority)
    with (
        RedisServer(tls=shown, password="hush") as server,
        Sentinel(server, f"auth-pass {SERVICE} hush", quorum=1, password="quiet", tls=shown) as sentinel,
    ):
        host = f"rediss+sentinel://:hush@127.0.0.1:{sentinel.port}/{SERVICE}"
        trust = f"ssl_ca_certs={authority.path}"
        use(f"{host}?{trust}&sentinel_password=quiet")
        for missing in ("", "&sentinel_password=hush"):
            with failing("redis_refused"):
                use(f"{host}?{trust}{missing}")
        with failing("redis_tls", says="unable to get local issuer certificate"):
            use(f"{host}?sentinel_password=quiet")


def test_who_waits_for_a_lock_leaves_its_holder_time_to_come_to_the_new_primary(behind, monkeypatch):
    monkeypatch.setattr(redis_lock, "GONE", 1.5)
    store, holder = RedisStore(connect(behind.url), PLAIN), behind.client(behind.primary)
    hold = "0" * 32
    holder.client_setname(hold)
    holder.set(store._key("lock:", USER), f"{hold}:{holder.client_id()}")

    def wait():
        with store.lock(USER, wait=30):
            return time.monotonic()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        while "cmdstat_client|list" not in holder.info("commandstats"):
            time.sleep(0.01)  # until it has looked at the holder
        behind.wait_until_copied()
        behind.kill_primary()
        another(behind.url).ping()
        there = time.monotonic()
        assert waiting.result() - there > 1


def test_a_primary_that_was_cut_off_from_its_replicas_is_left_for_the_new_one(behind):
    store = RedisStore(connect(behind.url), PLAIN)
    save(store, RECORD)
    old = behind.primary
    admin = behind.client(old)
    admin.config_set("min-replicas-to-write", 1)
    admin.config_set("min-replicas-max-lag", 1)
    store.check_writable()
    admin.config_set("requirepass", "nobody else comes in")
    for connection in admin.client_list():  # sentinels and the replica; the store's own connections stay
        if connection["name"].startswith("sentinel-") or connection["flags"] == "S":
            admin.client_kill_filter(_id=connection["id"])
    end = time.monotonic() + 20
    while any(redis.Redis(port=each.port).sentinel_master(SERVICE)["port"] == old.port for each in behind.sentinels):
        assert time.monotonic() < end
        time.sleep(0.05)
    while admin.info("replication")["min_slaves_good_slaves"]:  # until it takes nothing more
        assert time.monotonic() < end
        time.sleep(0.05)
    save(store, replace(RECORD, name="after"))
    assert RedisStore(another(behind.url), PLAIN).load(USER).name == "after"
    behind.client(behind.primary).config_set("min-replicas-to-write", 1)
    with failing("redis_cannot_save"):  # there is no better one
        store.check_writable()


def test_a_hold_that_the_new_primary_never_heard_of_writes_nothing(behind):
    store = RedisStore(connect(behind.url), PLAIN)
    with store.lock(USER) as held:
        behind.kill_primary()
        connect(behind.url).delete(held.hold.name)
        with pytest.raises(LockLost):
            held.save(RECORD)
    assert store.load(USER) is None


@pytest.mark.timeout(60)
def test_the_primary_is_killed_in_the_middle_of_a_refresh_and_nobody_notices(emulator, box, tmp_path, behind):
    folder = checkout(tmp_path / "fork")
    settings = live_settings(emulator, box, free_port(), REDIS_URL=behind.url, SECRET_KEY="the same everywhere")
    store = RedisStore(connect(behind.url), Plain(app_id(settings["CLIENT_ID"])))
    user = emulator.users[0]
    with running(App(folder, **settings)) as app, Visitor(app.url) as visitor, ThreadPoolExecutor(1) as pool:
        assert visitor.sign_in(user.login).status_code == 200
        record = store.load(user.id)
        save(store, replace(record, issued_at=record.issued_at - 3600))
        behind.wait_until_copied()
        before = dict(emulator.tokens.refreshes)
        emulator.fault("POST /oauth2/token", latency=1)
        page = pool.submit(visitor.get, "/dashboard")
        while list(emulator.faults):  # until the refresh has reached Box
            time.sleep(0.01)
        behind.kill_primary()
        assert (page.result().status_code, user.login in page.result().text) == (200, True)
        assert emulator.tokens.refreshes == {**before, "accepted": before.get("accepted", 0) + 1}
        assert visitor.get("/healthz").json() == {"ready": True}
        record = store.load(user.id)
        save(store, replace(record, issued_at=record.issued_at - 3600))
        assert visitor.get("/dashboard").status_code == 200  # with the refresh token that was saved
        assert visitor.sign_out().status_code == 200
        assert store.load(user.id) is None
