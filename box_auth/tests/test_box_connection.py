"""How the app waits for Box, and what it sends again: the official SDK over a real socket to the emulator."""

import os
import threading
import time

import pytest
from box_sdk_gen import BaseUrls, BoxAPIError, BoxClient, BoxDeveloperTokenAuth
from box_sdk_gen.managers.folders import CreateFolderParent

from box_auth import config
from box_auth.errors import BoxUnavailable
from box_auth.network.pool import Network

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
    import socket

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
