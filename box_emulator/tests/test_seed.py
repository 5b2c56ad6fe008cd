"""Seed files: a Box with the users and files that somebody wants."""

import json
import sys

import pytest
import requests

from box_emulator import BadSeed, Emulator, Seed, serve

PLAN = {
    "apps": [
        {"name": "Shop", "client_id": "shop", "client_secret": "hush", "origins": ["http://localhost:3000"]},
        {"name": "Other", "redirect_uris": ["http://localhost/back"]},
    ],
    "users": [
        {
            "name": "Cleo Example",
            "login": "cleo@example.com",
            "job_title": "Baker",
            "space_amount": 1000,
            "avatar": True,
            "items": [
                {
                    "name": "Cakes",
                    "items": [
                        {"name": "lemon.txt", "text": "Grüße", "age": 86400, "description": "sour"},
                        {"name": "raw.bin", "base64": "AAEC"},
                        {"name": "zeros.bin", "size": 300},
                        {"name": "empty.txt"},
                    ],
                },
                {"name": "Site", "url": "https://example.com/"},
            ],
        },
        {"name": "Dee Example", "login": "dee@example.com"},
    ],
}


def contents(emulator, login="cleo@example.com"):
    """Everything that a user has, by path."""
    with serve(emulator) as server, requests.Session() as http:
        http.trust_env = False
        http.headers["Authorization"] = f"Bearer {emulator.sign_in(login).access_token}"

        def walk(folder, above):
            for entry in http.get(f"{server.url}/2.0/folders/{folder}/items").json()["entries"]:
                path = f"{above}/{entry['name']}"
                if entry["type"] == "folder":
                    yield path, None
                    yield from walk(entry["id"], path)
                elif entry["type"] == "file":
                    yield path, http.get(f"{server.url}/2.0/files/{entry['id']}/content").content
                else:
                    yield path, entry["url"]

        return dict(walk("0", ""))


@pytest.mark.parametrize("database", ["box.sqlite3", ":memory:"])
def test_a_seed_that_makes_no_sense_leaves_nothing_open(monkeypatch, tmp_path, database):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(BadSeed) as held:  # with its traceback, and all that is in it
        Emulator(database, seed={"users": [{"name": "Cleo"}]})
    assert held.value.__traceback__
    left = {path.name for path in tmp_path.iterdir()}  # SQLite's log goes with the last connection
    assert left <= {"box.sqlite3", "box.sqlite3.contents"}


def test_a_seed_is_what_the_emulator_begins_with():
    emulator = Emulator(seed=PLAN)
    assert [user.login for user in emulator.users] == ["cleo@example.com", "dee@example.com"]
    cleo = emulator.users[0]
    assert (cleo.job_title, cleo.space_amount, bool(cleo.avatar)) == ("Baker", 1000, True)
    assert contents(emulator) == {
        "/Cakes": None,
        "/Cakes/lemon.txt": "Grüße".encode(),
        "/Cakes/raw.bin": b"\0\1\2",
        "/Cakes/zeros.bin": bytes(300),
        "/Cakes/empty.txt": b"",
        "/Site": "https://example.com/",
    }
    shop = emulator.apps.get("shop")
    assert (shop.name, shop.client_secret, shop.origins) == ("Shop", "hush", ("http://localhost:3000",))
    assert emulator.apps.get(emulator.app.client_id)
    emulator.close()


def test_a_seed_file_may_name_files_beside_it(tmp_path):
    (tmp_path / "cake.jpg").write_bytes(b"picture")
    plan = {"users": [{"name": "C", "login": "cleo@example.com", "items": [{"name": "c.jpg", "file": "cake.jpg"}]}]}
    (tmp_path / "seed.json").write_text(json.dumps(plan))
    emulator = Emulator(seed=Seed.read(tmp_path / "seed.json"))
    assert contents(emulator) == {"/c.jpg": b"picture"}
    emulator.close()


def test_a_seed_file_may_be_yaml_where_pyyaml_is(tmp_path):
    pytest.importorskip("yaml", reason="PyYAML is not installed (pip install pyyaml)")
    path = tmp_path / "seed.yaml"
    path.write_text("users:\n- name: Cleo\n  login: cleo@example.com\n  items:\n  - {name: a.txt, text: hello}\n")
    emulator = Emulator(seed=Seed.read(path))
    assert contents(emulator) == {"/a.txt": b"hello"}
    emulator.close()
    path.write_text("users: [")
    with pytest.raises(BadSeed, match=r"seed\.yaml"):
        Seed.read(path)


def test_without_pyyaml_a_yaml_seed_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "seed.yml").write_text("users: []")
    with pytest.raises(BadSeed, match="pip install pyyaml"):
        Seed.read(tmp_path / "seed.yml")


def test_a_reset_begins_with_the_seed_again_or_with_another():
    emulator = Emulator(seed=PLAN)
    emulator.add_user("Extra", "extra@example.com")
    emulator.reset()
    assert len(emulator.users) == 2
    emulator.reset({"users": [{"name": "One", "login": "one@example.com"}]})
    emulator.reset()
    assert [user.login for user in emulator.users] == ["one@example.com"]
    with pytest.raises(BadSeed):
        emulator.reset({"users": [{"name": "Two"}]})
    assert [user.login for user in emulator.users] == ["one@example.com"]
    emulator.close()


def test_data_that_is_there_already_stays(tmp_path):
    for _ in range(2):
        emulator = Emulator(tmp_path / "box.sqlite3", seed=PLAN)
        assert len(emulator.users) == 2
        emulator.add_item("dee@example.com", f"{len(contents(emulator, 'dee@example.com'))}.txt")
        emulator.close()


def user(**changes):
    return {"users": [{"name": "C", "login": "c@example.com", **changes}]}


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([], "The seed is not an object"),
        ({}, "The seed has no users"),
        ({"people": []}, "unknown key 'people'"),
        ({"users": ["C"]}, r"users\[0\] is not an object"),
        ({"users": [{"name": "C"}]}, r"users\[0\] has no login"),
        (user(space_amount="much"), "space_amount of the wrong type"),
        (user(age=True), "age of the wrong type"),
        ({"users": user()["users"] * 2}, r"users\[1\] is another user with the login c@example.com"),
        (user(items=[{"name": "a/b"}]), r"users\[0\]\.items\[0\] cannot be"),
        (user(items=[{"name": "a"}, {"name": "A"}]), r"users\[0\]\.items\[1\] cannot be"),
        (user(items=[{"name": "f", "items": [{}]}]), r"users\[0\]\.items\[0\]\.items\[0\] has no name"),
        (user(items=[{"name": "a", "text": "x", "size": 1}]), "too much"),
        (user(items=[{"name": "a", "url": "https://x", "text": "x"}]), "too much"),
        (user(items=[{"name": "a", "base64": "§"}]), "no base64"),
        (user(items=[{"name": "a", "size": -1}]), "a size that is not"),
        (user(items=[{"name": "a", "file": "/etc/hostname"}]), "only a seed on this machine"),
        ({"apps": [{"name": "A", "client_id": "a"}], **user()}, "no client_secret"),
    ],
)
def test_a_seed_that_makes_no_sense_says_where(plan, words):
    with pytest.raises(BadSeed, match=words):
        Emulator(seed=plan)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"users": 1}', "\\"])
def test_a_file_that_is_no_seed_is_said_in_a_line(tmp_path, text):
    (tmp_path / "seed.json").write_text(text)
    with pytest.raises(BadSeed) as error:
        Emulator(seed=Seed.read(tmp_path / "seed.json"))
    assert len(str(error.value).splitlines()) == 1
