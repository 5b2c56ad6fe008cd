"""What Box's answers may hold against all sense: a page says so, or goes on, and nobody sees a trace."""

import json

import pytest

from box_auth.errors import BoxUnavailable
from box_auth.flask import BoxAuth

from .small_apps import Browser, code_of
from .terminal import run, signed_in

ME, ITEMS = "GET /2.0/users/me", "GET /2.0/folders/0/items"


def answer(emulator, route, data, times=1):
    body = data if isinstance(data, str) else json.dumps(data)
    emulator.fault(route, times=times, status=200, body=body, content_type="application/json")


def me(emulator, **changed):
    return {"type": "user", "id": emulator.users[0].id, "name": "Ada", "login": "ada@example.com", **changed}


HALF = "a\ud800b \U0001f600"  # json.dumps writes both as \u escapes


@pytest.mark.parametrize(
    ("changed", "name", "login"),
    [
        ({"name": HALF}, "a?b \U0001f600", "ada@example.com"),
        ({"name": None}, "", "ada@example.com"),
        ({"name": 7, "login": 8}, "", ""),
        ({"name": ["x"], "login": {"y": "z"}}, "", ""),
        ({"name": "a\x1b[2J\nb", "login": "c\u202ed"}, "a�[2J�b", "c�d"),
    ],
)
def test_who_signs_in_has_a_name_and_a_login_that_are_texts(emulator, make, changed, name, login):
    app = make()
    answer(emulator, ME, me(emulator, **changed))
    browser = Browser(app)
    assert browser.sign_in().status_code == 302
    assert browser.get("/").text == login
    flow = app.extensions["box_auth"].flow
    record = flow.store.load(emulator.users[0].id)
    assert (record.name, record.login) == (name, login)
    emulator.expire_tokens("access")
    assert browser.get("/me").status_code == 200  # what was stored can be read and renewed


@pytest.mark.parametrize("who", [{"id": None}, {"id": 7}, {"id": "\ud800"}, {"id": "../1"}])
def test_a_user_without_a_proper_id_is_no_user(emulator, make, who):
    answer(emulator, ME, me(emulator, **who))
    page = Browser(make()).sign_in()
    assert (page.status_code, code_of(page)) == (502, "box_bad_answer")


@pytest.mark.parametrize("body", ["[]", "[1]", '"text"', "7", "null", "[" * 100_000, '{"a":' * 100_000])
def test_json_that_is_no_object_makes_no_sense(emulator, make, body):
    browser = Browser(make())
    browser.sign_in()
    answer(emulator, ME, body)
    page = browser.get("/me")
    assert (page.status_code, code_of(page)) == (502, "box_bad_answer")


ODD_LISTS = [7, "text", [None], [1], ["x"], [[1]], [{}], {"a": 1}, True]


@pytest.mark.parametrize("entries", ODD_LISTS)
def test_a_list_that_holds_anything_but_items_makes_no_sense(emulator, make, entries):
    box = BoxAuth()
    app = make(box)

    @app.get("/names")
    def names():
        return [item.name for item in box.client.folders.get_folder_items("0").entries or []]

    browser = Browser(app)
    browser.sign_in()
    answer(emulator, ITEMS, {"entries": entries})
    page = browser.get("/names")
    assert (page.status_code, code_of(page)) == (502, "box_bad_answer")
    for none in ({"entries": None}, {"entries": []}, {}):
        answer(emulator, ITEMS, none)
        assert browser.get("/names").json == []


def test_halves_of_characters_are_mended_everywhere_and_pairs_left_alone(emulator, make):
    app = make()
    Browser(app).sign_in()
    record = app.extensions["box_auth"].flow.store.load(emulator.users[0].id)
    client = app.extensions["box_auth"].flow.client(record)
    name = r'"name": "\ud83d\ude00 \uD800 \\ud800"'
    answer(emulator, ITEMS, '{"entries": [{"type": "file", "id": "1", ' + name + r'}], "note": "\udfff"}')
    items = client.folders.get_folder_items("0")
    assert items.entries[0].name == "\U0001f600 ? \\ud800"
    assert items.raw_data["note"] == "?"


def test_a_script_goes_on_too(emulator, fork, settings):
    signed_in(fork, settings)
    answer(emulator, ME, me(emulator, name=None, login=7))
    entries = [{"type": "spacecraft", "id": "1", "name": HALF + "\x1b[2J\nforged"}, {"type": "file", "id": "2"}]
    answer(emulator, ITEMS, {"entries": entries})
    done = run(fork, "script.py", **settings)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert done.stdout == "7 \nspacecraft a?b \U0001f600�[2J�forged\nfile \n"
    answer(emulator, ITEMS, {"entries": None})
    assert run(fork, "script.py", **settings).returncode == 0
    answer(emulator, ITEMS, {"entries": [None]})
    done = run(fork, "script.py", **settings)
    assert (done.returncode, "Traceback" in done.stderr, "[box_bad_answer]" in done.stderr) == (1, False, True)


def test_commands_go_on_too(emulator, make):
    app = make()
    flow = app.extensions["box_auth"].flow
    Browser(app).sign_in()
    record = flow.store.load(emulator.users[0].id)
    (make.folder / "instance" / "script.json").write_text(
        json.dumps({"user_id": record.user_id, "grant": record.grant})
    )
    answer(emulator, ME, me(emulator, name=None, login="\x1b[2J"))
    assert app.test_cli_runner().invoke(args=["box", "whoami"]).output == f" (�[2J), user {record.user_id}\n"
    answer(emulator, ITEMS, {"entries": [{"type": "spacecraft", "id": 7, "name": "\n"}, {"type": "file", "id": "2"}]})
    listed = app.test_cli_runner().invoke(args=["box", "ls"])
    assert (listed.exit_code, listed.output.split()) == (0, ["spacecraft", "7", "�", "file", "2"])
    answer(emulator, ITEMS, {"entries": None})
    assert app.test_cli_runner().invoke(args=["box", "ls"]).exit_code == 0
    for odd in ODD_LISTS:
        answer(emulator, ITEMS, {"entries": odd})
        listed = app.test_cli_runner().invoke(args=["box", "ls"])
        assert (listed.exit_code, "[box_bad_answer]" in listed.output) == (1, True)


def test_an_error_of_ours_is_one_line():
    error = BoxUnavailable("box_refused", "Box says: a\r\nWARNING forged \x1b[2J \u2028 \ud800")
    assert str(error).isprintable()
    assert error.detail == "Box says: a WARNING forged �[2J � �"
