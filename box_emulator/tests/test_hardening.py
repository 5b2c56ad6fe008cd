"""Odd values that a review found to break the emulator, or a test of somebody's fork far from the cause."""

import base64
import json

import pytest

from box_emulator import Emulator


def switch(http, box, name, body):
    return http.post(f"{box.url}/_emulator/{name}", json=body, timeout=10)


@pytest.mark.parametrize(
    "user",
    [{"name": "\ud800"}, {"name": "x", "space_amount": 10**30}, {"name": "x", "items": [{"name": "y", "age": 1e300}]}],
)
def test_a_seed_that_cannot_be_sown_changes_nothing_and_does_not_stick(box, http, user):
    refused = switch(http, box, "reset", {"seed": {"users": [{"login": "l", **user}]}})
    assert refused.status_code == 400
    assert switch(http, box, "reset", {}).status_code == 200
    assert box.emulator.users[0].login == "ada@example.com"


@pytest.mark.parametrize(
    "inside",
    [
        json.dumps(["0", "name", "ASC", 1, "a", 10**30]),
        json.dumps(["0", "name", "ASC", 10**30, "a", 1]),
        json.dumps(["0", "name", "ASC", 0, "\ud800", 1]),
        "[" * 40000,
    ],
)
def test_a_forged_marker_is_a_bad_request(box, http, inside):
    marker = base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    token = box.emulator.sign_in("ada@example.com").access_token
    answer = http.get(
        f"{box.url}/2.0/folders/0/items",
        params={"usemarker": "true", "marker": marker},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert answer.status_code in (400, 414, 431)


@pytest.mark.parametrize(
    "odd",
    [
        {"status": 200.5},
        {"times": 1.5},
        {"body": 5},
        {"latency": float("inf")},
        {"content_type": "a\r\nb"},
        {"retry_after": "1\n2"},
        {"retry_after": [1]},
    ],
)
def test_a_fault_that_could_not_be_answered_is_refused_when_it_is_set(odd):
    emulator = Emulator()
    with pytest.raises(ValueError):
        emulator.fault("GET /2.0/users/me", **odd)
    emulator.close()


def test_a_faults_body_may_be_json(box, http):
    box.emulator.fault("GET /2.0/users/me", status=418, body={"code": "teapot"})
    assert http.get(f"{box.url}/2.0/users/me", timeout=10).json() == {"code": "teapot"}


@pytest.mark.parametrize("seconds", [1e12, float("inf"), float("nan"), -1])
def test_the_clock_stays_within_the_calendar(emulator, seconds):
    with pytest.raises(ValueError):
        emulator.clock.advance(seconds)


@pytest.mark.parametrize(("name", "body"), [("tokens/expire", {"user": ["a"]}), ("tokens/revoke", {"user": []})])
def test_a_user_that_is_no_login_is_a_bad_request(box, http, name, body):
    assert switch(http, box, name, body).status_code == 400


def test_a_narrowed_token_opens_no_shared_link_outside_its_folder(box, http):
    emulator = box.emulator
    ada = emulator.users.named("ada@example.com")
    inside = emulator.add_item(ada, "Inside", "folder")
    outside = emulator.add_item(ada, "Outside.txt", content=b"secret")
    token = emulator.sign_in("ada@example.com").access_token
    full = {"Authorization": f"Bearer {token}"}
    link = http.put(
        f"{box.url}/2.0/files/{outside.id}?fields=shared_link",
        json={"shared_link": {"access": "open"}},
        headers=full,
        timeout=10,
    ).json()["shared_link"]["url"]
    narrowed = http.post(
        f"{box.url}/oauth2/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "scope": "root_readwrite",
            "resource": f"{box.url}/2.0/folders/{inside.id}",
        },
        timeout=10,
    ).json()["access_token"]
    header = {"BoxApi": f"shared_link={link}"}
    address = f"{box.url}/2.0/shared_items"
    assert http.get(address, headers=full | header, timeout=10).status_code == 200
    outside_look = http.get(address, headers={"Authorization": f"Bearer {narrowed}"} | header, timeout=10)
    assert outside_look.status_code == 403
