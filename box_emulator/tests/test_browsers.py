"""Pages in a browser: which may call the API, what they are told, and the emulator's own page."""

import re

import pytest
import requests

ADA, HERE = "ada@example.com", "http://localhost:3000"


@pytest.fixture
def http(box, emulator):
    emulator.allow_origins(HERE, "https://*.example.com")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {emulator.sign_in(ADA).access_token}"
        yield session


@pytest.mark.parametrize("origin", [HERE, "HTTP://LOCALHOST:3000", "https://a.b.example.com"])
def test_a_page_of_a_listed_origin_may_read_the_answer(http, box, origin):
    answer = http.get(f"{box.url}/2.0/users/me", headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "http://localhost:3001", "https://localhost:3000", "http://a.example.com", "null", ""],
)
def test_a_page_of_another_origin_is_refused_in_boxs_words(http, box, origin):
    answer = http.get(f"{box.url}/2.0/users/me", headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "cors_origin_not_whitelisted")
    assert answer.json()["context_info"] == {"origin": origin}


def test_each_app_has_its_own_list_and_an_empty_one_lets_nobody_in(http, box, emulator):
    other = emulator.add_app("Other")
    bearer = {"Authorization": f"Bearer {emulator.sign_in(ADA, other).access_token}", "Origin": HERE}
    assert http.get(f"{box.url}/2.0/users/me", headers=bearer).status_code == 403
    emulator.allow_origins(HERE, app=other)
    assert http.get(f"{box.url}/2.0/users/me", headers=bearer).status_code == 200


def test_without_an_origin_nothing_changes(http, box):
    assert "Access-Control-Allow-Origin" not in http.get(f"{box.url}/2.0/users/me").headers


def test_a_page_without_a_token_gets_an_answer_that_it_cannot_read(http, box):
    answer = http.get(f"{box.url}/2.0/users/me", headers={"Origin": HERE, "Authorization": ""})
    assert answer.status_code == 401
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_can_read_that_its_token_expired_that_a_route_is_missing_and_that_a_fault_was_set(http, box, emulator):
    missing = http.get(f"{box.url}/2.0/webhooks", headers={"Origin": HERE})
    emulator.expire_tokens()
    expired = http.get(f"{box.url}/2.0/users/me", headers={"Origin": HERE})
    emulator.fault("*", status=503)
    failed = http.get(f"{box.url}/2.0/users/me", headers={"Origin": HERE})
    assert [answer.status_code for answer in (missing, expired, failed)] == [404, 401, 503]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in (missing, expired, failed)} == {"*"}


@pytest.mark.parametrize("path", ["/2.0/files/content", "/api/2.0/files/content", "/2.0/folders/0", "/2.0/nowhere"])
def test_the_browsers_question_is_answered_without_a_token(http, box, path):
    asked = {"Origin": HERE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = requests.options(f"{box.url}{path}", headers=asked, timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization"


def test_a_page_may_follow_a_download_to_the_other_host(http, box, emulator):
    file = emulator.add_item(ADA, "page.txt", content=b"for a page")
    first = http.get(f"{box.url}/2.0/files/{file.id}/content", headers={"Origin": HERE}, allow_redirects=False)
    assert first.headers["Location"].startswith(box.download_url)
    second = requests.get(first.headers["Location"], headers={"Origin": "null"}, timeout=5)
    assert (second.content, second.headers["Access-Control-Allow-Origin"]) == (b"for a page", "*")
    asked = {"Origin": "null", "Access-Control-Request-Method": "GET"}
    assert requests.options(first.headers["Location"], headers=asked, timeout=5).status_code == 200


@pytest.mark.parametrize("path", ["/_emulator/", "/_emulator/requests", "/oauth2/token", "/api/oauth2/authorize"])
def test_pages_can_read_neither_switches_nor_tokens(http, box, path):
    asked = {"Origin": HERE, "Access-Control-Request-Method": "POST"}
    for answer in (http.options(box.url + path, headers=asked), http.get(box.url + path, headers={"Origin": HERE})):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.fixture
def console(http, box):
    def console(method="GET", query="", **form):
        http.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"
        return http.request(method, f"{box.url}/_emulator/{query}", data=form, headers={"Origin": box.url})

    return console


def test_the_emulators_page_shows_users_files_tokens_and_requests_and_no_secrets(console, http, box, emulator):
    token = http.headers["Authorization"].removeprefix("Bearer ")
    http.get(f"{box.url}/2.0/users/me")
    page = console()
    assert page.headers["Content-Type"].startswith("text/html")
    for shown in ("Ada Example", "bo@example.com", "Welcome.md", f"{token[:4]}…", "GET /2.0/users/me"):
        assert shown in page.text
    assert token not in page.text
    assert not re.search(r"<script|style=|https?://", page.text)
    assert "script" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "<b>bold" not in page.text


def test_the_emulators_page_opens_folders(console, emulator):
    folder = emulator.add_item("bo@example.com", "Open me", "folder")
    emulator.add_item("bo@example.com", "inside.txt", parent=folder)
    assert "inside.txt" in console(query=f"?user={folder.owner}&folder={folder.id}").text
    assert console(query="?user=nobody&folder=x").status_code == 200


def test_the_emulators_page_works_without_users(console, emulator):
    emulator.database.rows("DELETE FROM items")
    emulator.database.rows("DELETE FROM users")
    assert console().status_code == 200


def test_the_emulators_buttons_turn_the_switches(console, http, box, emulator):
    before = emulator.clock.now()
    assert "standing still" in console("POST", switch="freeze").text
    console("POST", switch="advance", seconds="3600")
    assert emulator.clock.now() >= before + 3600
    assert http.get(f"{box.url}/2.0/users/me").status_code == 401
    console("POST", switch="unfreeze")
    console(
        "POST", switch="fault", route="GET /2.0/*", status="503", times="2", retry_after="9", body="<p>Sorry", drop=""
    )
    failed = http.get(f"{box.url}/2.0/users/me")
    assert (failed.status_code, failed.text, failed.headers["Retry-After"]) == (503, "<p>Sorry", "9")
    console("POST", switch="clear faults")
    assert list(emulator.faults) == []
    console("POST", switch="rate limits", on="on")
    assert emulator.options.rate_limits
    console("POST", switch="revoke", user=ADA)
    assert "revoked" in console().text
    console("POST", switch="expire refresh")
    console("POST", switch="clear log")
    assert len(emulator.requests) == 0
    emulator.add_user("Extra", "extra@example.com")
    assert "Extra" not in console("POST", switch="reset").text


@pytest.mark.parametrize(
    "form", [{}, {"switch": "none"}, {"switch": "advance", "seconds": "soon"}, {"switch": "fault"}]
)
def test_a_button_that_makes_no_sense_is_a_400_that_changes_nothing(console, emulator, form):
    answer = console("POST", **form)
    assert answer.status_code == 400
    assert "Not done" in answer.text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_another_site_cannot_press_the_emulators_buttons(http, box, emulator, headers):
    answer = http.post(f"{box.url}/_emulator/", data={"switch": "revoke"}, headers=headers)
    assert answer.status_code == 415
    rebound = {"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}
    assert http.post(f"{box.url}/_emulator/", data={"switch": "revoke"}, headers=rebound).status_code == 403
    assert http.get(f"{box.url}/2.0/users/me").status_code == 200
