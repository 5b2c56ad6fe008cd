"""What `make bench` stands on: its Box, its load, its peers, its limits, and that it leaves nothing behind."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlencode

import pytest
import requests

from box_auth.tests.journey import ROOT, local_box
from box_auth.tests.programs import clean_environment

if sys.platform != "linux":
    pytest.skip("the bench reads Linux's /proc", allow_module_level=True)

from benchmarks.speed import answers, peers, readme, table
from benchmarks.speed.box import Box
from benchmarks.speed.figures import Figures
from benchmarks.speed.load import Load
from benchmarks.speed.pages import elements
from benchmarks.speed.servers import App, Failed
from benchmarks.speed.tokens import CLIENT_ID, CLIENT_SECRET

LISTS = ("", "fields=name,size,modified_at,url", "fields=name,size,modified_at,etag,url&limit=2&usemarker=true")
ABOUT = "fields=name,path_collection,permissions,item_status"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp("box"))
    yield box
    box.stop()


def token(box, **proof):
    answer = ask(box, "POST", "/oauth2/token", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, **proof)
    return answer[0], json.loads(answer[1])


def ask(box, method, path, access="", **form):
    connection = http.client.HTTPConnection("127.0.0.1", box.ports["http"], timeout=20)
    connection.request(method, path, urlencode(form) or None, {"Authorization": f"Bearer {access}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def sign_in(box, user):
    return token(box, grant_type="authorization_code", code=f"code-{user}")[1]


def test_the_quiet_box_answers_in_the_local_boxs_shapes(box):
    local_box()
    from box_emulator import Emulator, serve

    emulator = Emulator()
    ada = "ada@example.com"
    emulator.add_item(ada, "Minutes", "web_link", url="https://example.com/")
    quiet = sign_in(box, 3)["access_token"]
    with serve(emulator) as server:
        headers = {"Authorization": f"Bearer {emulator.sign_in(ada).access_token}"}

        def both(path):
            return json.loads(ask(box, "GET", path, quiet)[1]), requests.get(server.url + path, headers=headers).json()

        ours, theirs = both("/2.0/users/me")
        assert set(ours) == set(theirs)
        ours, theirs = both(f"/2.0/folders/0?{ABOUT}")
        assert set(ours) == set(theirs)
        for query in LISTS:
            ours, theirs = both(f"/2.0/folders/0/items?{query}")
            assert set(ours) == set(theirs)
            shapes = [{entry["type"]: set(entry) for entry in each["entries"]} for each in (ours, theirs)]
            assert shapes[0] == {kind: shape for kind, shape in shapes[1].items() if kind in shapes[0]}, query
    emulator.close()


def test_a_folder_of_1000_items_comes_in_pages_by_offset_and_by_marker(box):
    access = sign_in(box, 0)["access_token"]
    ids, marker = [], ""
    while marker is not None:
        query = urlencode({"usemarker": "true", "limit": 300, "marker": marker})
        page = json.loads(ask(box, "GET", f"/2.0/folders/1000/items?{query}", access)[1])
        ids, marker = ids + [entry["id"] for entry in page["entries"]], page["next_marker"] or None
    pages = [f"/2.0/folders/1000/items?limit=300&offset={offset}" for offset in range(0, 1000, 300)]
    entries = [entry for path in pages for entry in json.loads(ask(box, "GET", path, access)[1])["entries"]]
    assert [entry["id"] for entry in entries] == ids
    assert len(set(ids)) == 1000
    assert ask(box, "GET", "/2.0/folders/100000/items?offset=10000", access)[0] == 400


def test_tokens_end_early_and_after_their_time_and_a_refresh_token_works_once(box):
    pair = sign_in(box, 1)
    assert ask(box, "GET", "/2.0/users/me", pair["access_token"])[0] == 200
    box.switch("end", users="1")
    assert ask(box, "GET", "/2.0/users/me", pair["access_token"])[0] == 401
    status, newer = token(box, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (status, ask(box, "GET", "/2.0/users/me", newer["access_token"])[0]) == (200, 200)
    status, refused = token(box, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (status, refused["error"]) == (400, "invalid_grant")
    box.switch("set", life=0)
    assert ask(box, "GET", "/2.0/users/me", sign_in(box, 1)["access_token"])[0] == 401
    box.switch("set", life=3600)


def test_the_quiet_box_counts_calls_and_connections(box):
    access = sign_in(box, 2)["access_token"]
    box.switch("counts")
    for _ in range(2):
        ask(box, "GET", "/2.0/users/me", access)
    counts = box.switch("counts")
    assert counts == {"calls": {"/2.0/users/me": 2}, "connections": 2}
    assert box.switch("counts") == {"calls": {}, "connections": 0}


def test_the_load_spreads_over_the_workers_and_sees_pages_that_are_wrong():
    pages = {b"cookie-0": b"<b>Ada</b>" + b"<tr>" * 3, b"cookie-1": b"<b>Ada</b>" + b"<tr>" * 3}
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection, number):
        with connection:
            while request := connection.recv(65536):
                body = next((page for cookie, page in pages.items() if cookie in request), b"Hello.")
                head = f"HTTP/1.1 200 OK\r\nX-Worker: {number % 3 // 2}\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)

    def accept():
        for number in range(100):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    users = [("cookie-0", "<b>Ada</b>"), ("cookie-1", "<b>Bo</b>")]
    job = {"port": listener.getsockname()[1], "path": "/", "users": users, "rows": 2}
    load = Load({**job, "at_once": 6, "workers": 2, "views": 50, "seconds": 60})
    connections = load.connect()
    came = load.run(connections)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for connection in connections:
        connection.sock.close()
    assert came["spread"] == [3, 3]
    assert (len(came["seconds"]), came["wrong"]) == (50, {"another user's page": 25})


def test_a_peer_that_cannot_be_installed_is_shown_as_failed_with_the_reason(tmp_path):
    requirements = tmp_path / "peers.txt"
    requirements.write_text("no-such-peer>=1\n")
    peer = App("no_such_peer", "No such peer", package="no-such-peer")
    with pytest.raises(Failed, match="no-such-peer"):
        peers.install(peer, tmp_path / "packages", "--no-index", requirements=requirements)
    assert not (tmp_path / "packages" / "no-such-peer").exists()
    figures = Figures()
    figures.add("p50 0", "ours", 2.0)
    figures.failed["no_such_peer"] = "there is none"
    assert "| 2.00 | failed |" in table.table(figures, ["p50 0"], [peers.OURS, peer])


def test_ratios_are_those_of_rounds_and_limits_are_judged_by_them():
    figures = Figures()
    for floor, ours in ((100.0, 101.0), (200.0, 206.0), (50.0, 52.0)):
        figures.add("p50 50", "floor", floor)
        figures.add("p50 50", "ours", ours)
    figures.add("p50 50", "with_authlib", 100.0)
    assert figures.ratio("p50 50", "ours") == pytest.approx(1.03)
    judged = dict(table.limits(figures, peers.APPS))
    assert judged["dashboard: p50 at 50 ms, to the floor: 1.03, at most 1.03"] is True
    assert judged["dashboard: CPU a view, to the floor: –, at most 1.50"] is None
    (behind,) = [
        holds for words, holds in judged.items() if words.startswith("ahead of Authlib in every row but these: 1 user")
    ]
    assert behind is False


def test_pages_are_the_same_but_for_spaces_and_the_token_of_forms():
    page = b'<p>\n  <input name="csrf_token" value="one"> words</p>\n<p>'
    assert elements(page) == elements(b'<p><input name="csrf_token" value="two">words</p>   <p>')
    assert elements(page) != elements(page.replace(b"words", b"other"))


def test_what_was_printed_takes_the_place_of_what_was_printed_before(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    readme.put("### Plain to Box\n\n| a | b |\n", page)
    assert page.read_text() == "before\n<!-- bench -->\n#### Plain to Box\n\n| a | b |\n<!-- /bench -->\nafter\n"
    assert readme.PLACE.search(readme.README.read_text("utf-8"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_bench_is_stopped_half_way(number):
    command = [sys.executable, "-m", "benchmarks.tests.started", "60"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=clean_environment(), **pipes) as bench:
        handles = [os.pidfd_open(process) for process in json.loads(bench.stdout.readline())]
        assert len(handles) == 4
        bench.send_signal(number)
    for handle in handles:
        ended, _, _ = select.select([handle], [], [], 20)
        os.close(handle)
        assert ended


def test_names_of_users_are_no_part_of_each_other():
    names = [answers.name_of(user) for user in range(answers.USERS)]
    assert not any(one in other for one in names for other in names if one is not other)
