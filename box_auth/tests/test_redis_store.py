"""The token store in Redis, against a real redis-server: the contract, and what only Redis can suffer."""

import contextlib
import json
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from box_auth.errors import StoreUnavailable
from box_auth.stores import redis as redis_store
from box_auth.stores.record import Plain
from box_auth.stores.redis import RedisStore, connect

from .journey import App, Visitor, checkout, code_of, free_port, live_settings, running
from .redis_server import RedisServer, needs_redis
from .store_contract import APP, FIRST, PLAIN, RECORD, StoreContract, save
from .terminal import flask_box

USER = RECORD.user_id
KEY = f"box:{APP}:token:{USER}"

pytestmark = needs_redis


@pytest.fixture(scope="module")
def server():
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server):
    client = connect(server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def store(client):
    return RedisStore(client, PLAIN)


@pytest.fixture
def other(server, client):
    second = redis.Redis.from_url(server.url)
    yield RedisStore(second, PLAIN)
    second.close()


@pytest.fixture
def neighbour(client):
    return RedisStore(client, Plain("another"))


@pytest.fixture
def put_first(client):
    return lambda data: client.set(f"box:token:{USER}", data)


@pytest.fixture
def lose(client):
    return lambda user_id: client.delete(f"box:{APP}:lock:{user_id}")


class TestRedisStore(StoreContract):
    pass


def test_a_prefix_keeps_the_keys_of_two_installations_apart(client, store):
    elsewhere = RedisStore(client, PLAIN, "staging")
    save(elsewhere, RECORD)
    assert store.load(USER) is None
    with store.lock(USER), elsewhere.lock(USER, wait=0):
        elsewhere.check_writable()
        assert {key.partition(b":")[0] for key in client.scan_iter()} == {b"box", b"staging"}


def test_a_record_of_version_1_that_somebody_moves_on_just_now_is_found(store, other, put_first, monkeypatch):
    put_first(json.dumps(FIRST).encode())
    get = redis_store.get_bytes

    def moved(client, key):
        if key == f"box:token:{USER}":
            monkeypatch.undo()
            other.load(USER)
        return get(client, key)

    monkeypatch.setattr(redis_store, "get_bytes", moved)
    assert store.load(USER) == RECORD


def test_a_record_expires_with_its_refresh_token(client, store):
    save(store, RECORD)
    assert 59 * 86400 < client.ttl(KEY) <= 60 * 86400


@pytest.mark.parametrize("foreign", [b"", b"\x80\x04\x95binary", b'{"version": 1, "user_id": "1144', b'{"version": 7}'])
def test_a_foreign_or_truncated_value_is_set_aside(client, store, foreign):
    client.set(KEY, foreign)
    assert store.load(USER) is None
    (aside,) = client.keys("*unreadable*")
    assert client.get(aside) == foreign
    assert store.users() == []


def test_a_value_of_another_type_is_set_aside(client, store):
    client.rpush(KEY, "a list")
    assert store.load(USER) is None
    assert client.keys("*unreadable*")
    save(store, RECORD)
    assert store.load(USER) == RECORD


def test_more_threads_than_redis_py_allows_by_itself_are_served(server, store):
    together = threading.Barrier(120)
    failures = []

    def hold(number: int) -> None:
        try:
            with store.lock(str(number)):  # a connection each
                together.wait(30)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(120)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_nobody_at_the_address_is_a_clear_error_without_the_password():
    store = RedisStore(connect(f"redis://:hush-hush@127.0.0.1:{free_port()}/0"), PLAIN)
    for attempt in (lambda: store.load(USER), lambda: save(store, RECORD), store.users, lambda: store.check_writable()):
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        assert caught.value.code == "redis_away"
        assert "hush" not in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("given", [":hush-hush@", "", "nobody:hush-hush@"])
def test_a_wrong_or_missing_password_is_a_clear_error_without_it(given):
    with RedisServer(password="right") as server:
        store = RedisStore(connect(server.url.replace(":right@", given)), PLAIN)
        check_refused(store)


def check_refused(store):
    with pytest.raises(StoreUnavailable) as caught:
        store.load(USER)
    assert caught.value.code == "redis_refused"
    assert "hush" not in str(caught.value)


def test_a_redis_that_is_full_is_named_and_works_again_with_more_memory(client, store):
    save(store, RECORD)
    client.config_set("maxmemory", 1)
    try:
        for attempt in (store.check_writable, lambda: save(store, RECORD)):
            with pytest.raises(StoreUnavailable) as caught:
                attempt()
            assert caught.value.code == "redis_full"
        assert store.load(USER) == RECORD
    finally:
        client.config_set("maxmemory", 0)
    save(store, RECORD)


def test_a_redis_that_is_a_replica_is_named(server, client, store):
    with RedisServer() as replica:
        other = redis.Redis.from_url(replica.url)
        other.replicaof("127.0.0.1", str(server.port))
        with pytest.raises(StoreUnavailable) as caught:
            save(RedisStore(other, PLAIN), RECORD)
        assert caught.value.code == "redis_read_only"
        other.close()


class Name:
    """An address that leads to one server and then to another, as a managed Redis's does; old connections stay."""

    def __init__(self, port):
        self.port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.port))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    @staticmethod
    def _pass_on(source, target):
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self):
        self._listener.close()


def test_where_the_name_leads_to_another_server_and_the_first_cannot_be_written_it_goes_on_there(server, client):
    with RedisServer("--replicaof", "127.0.0.1", str(server.port), "--appendonly", "no") as second:
        copy = redis.Redis.from_url(second.url)
        client.config_set("repl-diskless-sync-delay", 0)
        while copy.info("replication")["master_link_status"] != "up":
            pass
        name = Name(server.port)
        store = RedisStore(connect(name.url), PLAIN)
        save(store, RECORD)
        try:
            with store.lock(USER) as held:
                while not copy.exists(f"box:{APP}:lock:{USER}"):
                    pass
                copy.replicaof("NO", "ONE")
                client.replicaof("127.0.0.1", "1")  # nobody is there, so it keeps what it has
                name.port = second.port
                held.save(replace(RECORD, refresh_token="newer"))
            assert store.load(USER).refresh_token == "newer"
            assert not copy.exists(f"box:{APP}:lock:{USER}")
        finally:
            client.replicaof("NO", "ONE")
            name.close()
            copy.close()


def test_a_redis_that_cannot_keep_what_it_is_given_is_named(client, store):
    def check():
        for attempt in (store.check_writable, lambda: save(store, RECORD)):
            assert code_of_failure(attempt) == "redis_cannot_save"

    client.config_set("min-replicas-to-write", 1)
    try:
        check()
    finally:
        client.config_set("min-replicas-to-write", 0)
    with RedisServer("--enable-protected-configs", "yes") as server:
        broken = redis.Redis.from_url(server.url)
        broken.config_set("dbfilename", "no-file.rdb")
        (Path(broken.config_get("dir")["dir"]) / "no-file.rdb").mkdir()
        broken.config_set("save", "1 1000000")  # a write is refused only where Redis saves at all
        broken.bgsave()
        while broken.info("persistence")["rdb_last_bgsave_status"] == "ok":
            pass
        store = RedisStore(broken, PLAIN)
        try:
            check()
        finally:
            broken.config_set("save", "")  # else it does not end, either
            broken.close()


def test_a_replica_whose_primary_is_away_is_named(store):
    with RedisServer("--replica-serve-stale-data", "no") as replica:
        other = redis.Redis.from_url(replica.url)
        other.replicaof("127.0.0.1", "1")
        assert code_of_failure(lambda: RedisStore(other, PLAIN).load(USER)) == "redis_read_only"
        other.close()


@pytest.mark.parametrize("forbidden", ["-set", "-del", "-get", "-@scripting"])
def test_a_user_who_may_not_do_all_that_is_needed_is_named(server, client, forbidden):
    client.acl_setuser("half", enabled=True, passwords=["+p"], commands=["+@all", forbidden], keys=["*"])
    limited = redis.Redis.from_url(server.url.replace("redis://", "redis://half:p@"))
    try:
        assert code_of_failure(lambda: save(RedisStore(limited, PLAIN), RECORD)) == "redis_refused"
    finally:
        limited.close()
        client.acl_deluser("half")


@pytest.mark.parametrize("host", ["ssl-cache.invalid", "certificate.invalid", "handshake.invalid"])
def test_a_host_that_is_not_there_is_away_whatever_its_name(host):
    store = RedisStore(connect(f"redis://{host}:{free_port()}/0"), PLAIN)
    assert code_of_failure(lambda: store.load(USER)) == "redis_away"


def code_of_failure(attempt):
    with pytest.raises(StoreUnavailable) as caught:
        attempt()
    return caught.value.code


@pytest.fixture
def node():
    """A node of a cluster that is all there is of it, and without slots."""
    with RedisServer("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        node = redis.Redis.from_url(server.url)
        yield node, server.url
        node.close()


def test_a_redis_that_is_a_cluster_is_named(node):
    node, _ = node
    node.execute_command("CLUSTER ADDSLOTS", 0)  # and none for our keys
    assert code_of_failure(lambda: RedisStore(node, PLAIN).load(USER)) == "redis_cluster"
    node.config_set("cluster-require-full-coverage", "no")
    assert code_of_failure(lambda: RedisStore(node, PLAIN).load(USER)) == "redis_cluster"


def test_a_cluster_of_one_node_is_named_before_anything_is_kept_there(node, emulator, box, tmp_path, make):
    node, url = node
    node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    while node.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
        pass
    store = RedisStore(node, PLAIN)
    for attempt in (store.check_writable, lambda: save(store, RECORD)):
        assert code_of_failure(attempt) == "redis_cluster"
    make.set(**make.settings, REDIS_URL=url, SECRET_KEY="the same everywhere")
    assert make().test_client().get("/healthz").json == {"ready": False, "code": "redis_cluster"}
    told = flask_box(checkout(tmp_path / "fork"), "doctor", **live_settings(emulator, box, 5000, REDIS_URL=url)).stdout
    assert "[redis_cluster]" in told


def test_a_redis_that_speaks_no_tls_is_named(server):
    store = RedisStore(connect(server.url.replace("redis://", "rediss://")), PLAIN)
    with pytest.raises(StoreUnavailable) as caught:
        store.load(USER)
    assert caught.value.code == "redis_tls"


def test_two_apps_share_sign_ins_and_survive_an_outage_of_redis(emulator, box, tmp_path):
    with RedisServer() as server:
        folder = checkout(tmp_path / "fork")
        more = {"REDIS_URL": server.url, "SECRET_KEY": "the same on both"}
        first = App(folder, **live_settings(emulator, box, free_port(), **more))
        second = App(folder, **live_settings(emulator, box, free_port(), **more))
        with running(first), running(second), Visitor(first.url) as visitor:
            assert visitor.sign_in().url.endswith("/dashboard")
            assert visitor.get(f"{second.url}/dashboard").status_code == 200
            assert not (folder / "instance" / "tokens").exists()
            assert visitor.get("/healthz").json() == {"ready": True}
            server.stop()
            page = visitor.get("/dashboard")
            assert (page.status_code, code_of(page)) == (503, "redis_away")
            assert visitor.get("/static/style.css").status_code == 200
            readiness = visitor.get("/healthz")
            assert (readiness.status_code, readiness.json()) == (503, {"ready": False, "code": "redis_away"})
            server.start()
            assert visitor.get("/healthz").status_code == 200
            assert visitor.get("/dashboard").status_code == 200  # still signed in: nothing was deleted
            assert "Traceback" not in first.output
