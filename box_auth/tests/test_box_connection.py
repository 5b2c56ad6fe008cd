"""How the app waits for Box, and what it sends again: the official SDK over a real socket to the emulator."""

import contextlib
import io
import os
import socket
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from box_sdk_gen import BaseUrls, BoxAPIError, BoxClient, BoxDeveloperTokenAuth
from box_sdk_gen.managers.folders import CreateFolderParent
from box_sdk_gen.managers.uploads import UploadFileAttributes, UploadFileAttributesParentField

from box_auth import config
from box_auth.errors import BoxUnavailable
from box_auth.flow import open_flow
from box_auth.network.http import PooledSession
from box_auth.network.pool import Network
from box_auth.stores.record import TokenRecord

from .store_contract import save

ME = "GET /2.0/users/me"


@pytest.fixture
def network(box, tmp_path):
    values = {"CLIENT_ID": "i", "CLIENT_SECRET": "s", "BOX_API_URL": box.url, "BOX_UPLOAD_URL": f"{box.url}/api"}
    network = Network(config.parse(values, tmp_path))
    yield network
    network.close()


@pytest.fixture
def client(emulator, network):
    token = emulator.sign_in(emulator.users[0].login).access_token
    return BoxClient(auth=BoxDeveloperTokenAuth(token), network_session=network.session)


def test_calls_one_after_the_other_share_one_connection(client, box, network):
    for _ in range(3):
        client.users.get_user_me()
    pools = network.session.network_client._http.get_adapter(box.url).poolmanager.pools
    (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it is no dict
    assert (pool.num_requests, pool.num_connections) == (3, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_read_that_fails_in_passing_is_repeated(emulator, client, status):
    emulator.fault(ME, status=status, retry_after=0)
    assert client.users.get_user_me().id == emulator.users[0].id
    assert emulator.requests.count(ME) == 2


def test_a_pause_that_box_asks_for_is_kept_when_it_fits(emulator, client):
    emulator.fault(ME, status=429, retry_after=1)
    begun = time.monotonic()
    client.users.get_user_me()
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize(("status", "code"), [(429, "box_busy"), (503, "box_down")])
def test_a_longer_pause_is_passed_on_at_once_instead_of_waited_for(emulator, client, status, code):
    emulator.fault(ME, status=status, retry_after=600)
    with pytest.raises(BoxUnavailable) as caught:
        client.users.get_user_me()
    assert caught.value.code == code
    assert 600 <= caught.value.retry_after <= 601
    assert emulator.requests.count(ME) == 1


def test_a_lasting_failure_ends_within_the_budget(emulator, client, network, monkeypatch):
    monkeypatch.setattr(network.session.network_client, "_budget", 2.0)
    emulator.fault(ME, times=100, status=503)
    begun = time.monotonic()
    with pytest.raises(BoxUnavailable) as caught:
        client.users.get_user_me()
    assert caught.value.code == "box_down"
    assert time.monotonic() - begun < 3
    assert 2 <= emulator.requests.count(ME) < 10


def test_a_post_that_may_have_taken_effect_is_not_repeated(emulator, client):
    emulator.fault("POST /2.0/folders", times=9, status=500, retry_after=0)
    with pytest.raises(BoxUnavailable):
        client.folders.create_folder("new", CreateFolderParent(id="0"))
    assert emulator.requests.count("POST /2.0/folders") == 1


def test_a_post_that_was_turned_away_is_repeated(emulator, client):
    emulator.fault("POST /2.0/folders", status=429, retry_after=0)
    assert client.folders.create_folder("new", CreateFolderParent(id="0")).name == "new"
    assert emulator.requests.count("POST /2.0/folders") == 2


@pytest.mark.parametrize("moment", ["before", "after", "during"])
def test_a_dropped_connection_is_made_again_for_a_read(emulator, client, moment):
    emulator.fault(ME, drop=moment)
    assert client.users.get_user_me().id == emulator.users[0].id


def test_an_answer_that_drips_without_end_is_cut_off(network, drip):
    network_session = network.session.with_custom_base_urls(drip)
    client = BoxClient(auth=BoxDeveloperTokenAuth("token"), network_session=network_session)
    begun = time.monotonic()
    with pytest.raises(BoxUnavailable) as caught:
        client.users.get_user_me()
    assert caught.value.code == "box_slow"
    assert time.monotonic() - begun < 4


@pytest.fixture
def drip(monkeypatch, network):
    """A server that sends a byte every fifth of a second, for ever."""
    monkeypatch.setattr(network.session.network_client, "_budget", 1.0)
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.2):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    port = server.getsockname()[1]
    yield BaseUrls(base_url=f"http://127.0.0.1:{port}")
    stop.set()
    thread.join()
    server.close()


def test_a_refusal_that_means_something_is_left_to_the_page(client):
    with pytest.raises(BoxAPIError) as caught:
        client.files.get_file_by_id("404404")
    assert caught.value.response_info.status_code == 404


def test_calls_at_once_overlap_and_keep_their_order(emulator, client, network):
    emulator.fault("GET /2.0/*", times=3, latency=0.4)
    client.folders.get_folder_items  # noqa: B018 - built before the clock starts
    begun = time.monotonic()
    me, root, again = network.at_once(
        client.users.get_user_me, lambda: client.folders.get_folder_items("0"), client.users.get_user_me
    )
    assert time.monotonic() - begun < 1.0
    assert me.id == again.id == emulator.users[0].id
    assert root.total_count


def test_of_calls_at_once_an_error_is_raised(network):
    def fail():
        raise BoxUnavailable("box_down")

    with pytest.raises(BoxUnavailable):
        network.at_once(lambda: 1, fail)


def test_a_netrc_file_and_a_proxy_do_not_come_between_the_app_and_a_local_box(emulator, network, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    token = emulator.sign_in(emulator.users[0].login).access_token
    client = BoxClient(auth=BoxDeveloperTokenAuth(token), network_session=network.session)
    assert client.users.get_user_me().id == emulator.users[0].id


def test_a_proxy_that_refuses_and_a_missing_certificate_file_are_named(network, monkeypatch):
    outside = network.session.with_custom_base_urls(BaseUrls(base_url="http://box.example"))
    client = BoxClient(auth=BoxDeveloperTokenAuth("token"), network_session=outside)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(BoxUnavailable) as caught:
        client.folders.create_folder("new", CreateFolderParent(id="0"))
    assert caught.value.code == "box_proxy"
    network.session.network_client._http.verify = "/nowhere.pem"
    outside = network.session.with_custom_base_urls(BaseUrls(base_url="https://127.0.0.1:9"))
    client = BoxClient(auth=BoxDeveloperTokenAuth("token"), network_session=outside)
    with pytest.raises(BoxUnavailable) as caught:
        client.users.get_user_me()
    assert caught.value.code == "ca_bundle_missing"


def test_a_proxy_in_force_is_used_for_box(network, monkeypatch):
    from box_auth.network.http import _proxies_for

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "upload.box.com")
    assert _proxies_for("https", "api.box.com")["https"] == "http://proxy.example:3128"
    assert _proxies_for("https", "upload.box.com") == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_makes_connections_of_its_own(client, network, box):
    client.users.get_user_me()
    parent = network.session
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(write, b"same" if network.session is parent else b"own")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 10) == b"own"
    os.close(read)
    os.close(write)


def test_an_upload_that_was_turned_away_begins_anew_with_its_first_byte(emulator, client):
    emulator.fault("POST /api/2.0/files/content", times=2, status=429, retry_after=0)
    stream = io.BytesIO(b"read by nobody" + b"0123456789" * 20_000)
    stream.seek(len(b"read by nobody"))
    attributes = UploadFileAttributes(name="digits.txt", parent=UploadFileAttributesParentField(id="0"))
    (file,) = client.uploads.upload_file(attributes, stream).entries
    assert emulator.requests.count("POST /api/2.0/files/content") == 3
    assert client.downloads.download_file(file.id).read() == b"0123456789" * 20_000


def test_a_deletion_that_may_have_taken_effect_is_not_repeated(emulator, client):
    folder = emulator.add_item(emulator.users[0], "doomed", "folder")
    emulator.fault("DELETE /2.0/folders/*", status=503, retry_after=0)
    with pytest.raises(BoxUnavailable):
        client.folders.delete_folder_by_id(folder.id)
    assert emulator.requests.count("DELETE /2.0/folders/*") == 1


@pytest.mark.parametrize("fault", [{"status": 503, "retry_after": 0}, {"drop": "after"}])
def test_a_change_that_may_be_made_twice_is_repeated(emulator, client, fault):
    folder = emulator.add_item(emulator.users[0], "before", "folder")
    emulator.fault("PUT /2.0/folders/*", **fault)
    assert client.folders.update_folder_by_id(folder.id, name="after").name == "after"
    assert emulator.requests.count("PUT /2.0/folders/*") == 2


@pytest.fixture
def file(emulator):
    return emulator.add_item(emulator.users[0], "slow.txt", content=b"worth waiting for")


def test_a_file_that_box_is_not_ready_to_send_is_asked_for_again_when_box_says(emulator, client, file):
    content = f"GET /2.0/files/{file.id}/content"
    emulator.fault(content, status=202, retry_after=1)
    begun = time.monotonic()
    assert client.downloads.download_file(file.id).read() == b"worth waiting for"
    assert time.monotonic() - begun >= 1
    assert emulator.requests.count(content) == 2


def test_a_file_that_takes_box_longer_than_a_page_waits_is_not_waited_for(emulator, client, file):
    content = f"GET /2.0/files/{file.id}/content"
    emulator.fault(content, times=2, status=202, retry_after=60)
    assert client.downloads.download_file(file.id) is None
    assert emulator.requests.count(content) == 1


@pytest.fixture
def door(box):
    """A port through which everything goes on to the emulator, and a count of the connections made to it."""
    with Door(box.url) as door:
        yield door


class Door:
    def __init__(self, url):
        parts = urlsplit(url)
        self._beyond = (parts.hostname, parts.port)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.accepted = 0
        self._open, self._threads = [], []

    def __enter__(self):
        self._run(self._accept)
        return self

    def __exit__(self, *_):
        for connection in (self._socket, *self._open):
            with contextlib.suppress(OSError):  # closed by its other side
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for connection in (self._socket, *self._open):
            connection.close()

    def _accept(self):
        with contextlib.suppress(OSError):  # the end
            while True:
                this, _ = self._socket.accept()
                self.accepted += 1
                that = socket.create_connection(self._beyond)
                self._open += [this, that]
                self._run(self._carry, this, that)
                self._run(self._carry, that, this)

    def _run(self, work, *arguments):
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    @staticmethod
    def _carry(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def test_box_sees_one_connection_however_many_pages_and_users_call_it(emulator, door, tmp_path):
    app, user = emulator.app, emulator.users[0]
    values = {"CLIENT_ID": app.client_id, "CLIENT_SECRET": app.client_secret, "BOX_API_URL": door.url}
    flow = open_flow(config.parse(values, tmp_path))
    for user in emulator.users[:2]:
        tokens = emulator.sign_in(user.login)
        kept = TokenRecord(user.id, "", "", "grant", tokens.access_token, tokens.refresh_token, time.time(), 3600.0)
        save(flow.store, kept)
        for _ in range(3):  # a page makes a client of its own
            client = flow.client(flow.find(user.id, "grant"))
            assert client.users.get_user_me().id == user.id
            assert client.folders.get_folder_items("0").total_count
    save(flow.store, replace(kept, issued_at=0.0))
    assert flow.client(flow.find(user.id, "grant")).users.get_user_me().id == user.id  # with a refresh before it
    with pytest.raises(BoxAPIError):
        client.files.get_file_by_id("404404")
    assert emulator.requests.count("*") > 12
    assert door.accepted == 1
    flow.network.close()


def test_an_answer_that_is_there_is_read_also_when_its_time_is_over(emulator, box):
    """A process that was stopped finds it in its socket."""
    http = PooledSession()
    http.read_whole_by(time.monotonic() - 60)
    assert http.get(f"{box.url}/2.0/nothing", stream=True).content
    http.close()
