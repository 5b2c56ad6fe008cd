"""The emulator's sign-in: consent page, codes, tokens, refresh and revoke, over real sockets."""

import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from box_emulator import TokenPair

CALLBACK = "http://127.0.0.1:5000/callback"
GONE = {"error": "invalid_grant", "error_description": "Invalid refresh token"}


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def authorize_url(box, **changes):
    query = {
        "response_type": "code",
        "client_id": box.emulator.app.client_id,
        "redirect_uri": CALLBACK,
        "state": "s&t=1 ü",
        **changes,
    }
    asked = requests.Request(
        "GET", f"{box.url}/api/oauth2/authorize", params={name: value for name, value in query.items() if value}
    )
    return str(asked.prepare().url)


def decide(http, box, decision="grant", login="ada@example.com", **changes):
    user = box.emulator.users.named(login).id
    return http.post(authorize_url(box, **changes), data={"decision": decision, "user": user}, allow_redirects=False)


def answer_of(response):
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def token(http, box, grant, **fields):
    app = box.emulator.app
    form = {"grant_type": grant, "client_id": app.client_id, "client_secret": app.client_secret, **fields}
    return http.post(f"{box.url}/oauth2/token", data=form)


def refresh(http, box, refresh_token):
    return token(http, box, "refresh_token", refresh_token=refresh_token)


def status_of(http, box, access_token):
    return http.get(f"{box.url}/2.0/users/me", headers={"Authorization": f"Bearer {access_token}"}).status_code


def code_for(http, box):
    return answer_of(decide(http, box))["code"]


def test_the_consent_page_names_the_app_and_every_user_and_says_what_it_is(http, box):
    page = http.get(authorize_url(box))
    assert page.status_code == 200
    assert "Box emulator" in page.text
    assert "made-up users and files" in page.text
    assert box.emulator.app.name in page.text
    assert all(user.login in page.text for user in box.emulator.users)
    assert len(re.findall(r'type="radio"[^>]*checked', page.text)) == 1
    assert "Grant access" in page.text
    assert "Deny" in page.text


def test_the_consent_page_cannot_be_framed_or_cached_and_names_no_absolute_address(http, box):
    page = http.get(authorize_url(box))
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.search(r'(action|href|src)="(/|http)', page.text)
    stylesheet = http.get(f"{box.url}/api/oauth2/emulator.css")
    assert stylesheet.headers["Content-Type"].startswith("text/css")


def test_names_are_escaped_on_the_consent_page(http, box):
    box.emulator.add_user("<script>alert(1)</script>", "x@example.com")
    page = http.get(authorize_url(box)).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_grant_comes_back_with_a_code_and_the_state_as_it_was(http, box):
    answer = decide(http, box)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{CALLBACK}?")
    assert answer_of(answer)["state"] == "s&t=1 ü"
    assert answer_of(answer)["code"]


def test_deny_comes_back_with_access_denied_and_the_state(http, box):
    answer = decide(http, box, "deny")
    assert "error_description=The+user+denied+access+to+your+application" in answer.headers["Location"]
    assert answer_of(answer)["error"] == "access_denied"
    assert answer_of(answer)["state"] == "s&t=1 ü"
    assert "code" not in answer_of(answer)


def test_without_state_none_comes_back(http, box):
    assert "state" not in answer_of(decide(http, box, state=""))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"redirect_uri": None}, "redirect_uri_missing"),
        ({"redirect_uri": "https://evil.example/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:5000/callback/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:5000/callback?x=1"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "https://127.0.0.1:5000/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://[::1]:5000/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1@evil.example/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://evil@127.0.0.1:5000/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:5000/callback#x"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://[127.0.0.1/callback"}, "redirect_uri_mismatch"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "root_readonly make_coffee"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_is_an_error_page_with_no_way_back(http, box, changes, error):
    for answer in (
        http.get(authorize_url(box, **changes), allow_redirects=False),
        http.post(authorize_url(box, **changes), data={"decision": "grant"}, allow_redirects=False),
    ):
        assert answer.status_code == 400
        assert error in answer.text
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/callback", "http://127.0.0.1:61234/callback", "http://localhost:1/callback"]
)
def test_on_loopback_any_port_matches(http, box, uri):
    assert decide(http, box, redirect_uri=uri).headers["Location"].startswith(f"{uri}?code=")


def test_away_from_loopback_the_port_must_match(http, box):
    app = box.emulator.add_app("Web", ["https://web.example/callback"])
    right = {"client_id": app.client_id, "redirect_uri": "https://web.example/callback"}
    assert http.get(authorize_url(box, **right)).status_code == 200
    assert (
        http.get(authorize_url(box, **right | {"redirect_uri": "https://web.example:444/callback"})).status_code == 400
    )


def test_a_single_registered_redirect_uri_need_not_be_named(http, box):
    app = box.emulator.add_app("One", ["https://one.example/back?keep=1"])
    answer = decide(http, box, client_id=app.client_id, redirect_uri="")
    assert answer.headers["Location"].startswith("https://one.example/back?keep=1&code=")


def test_a_relative_redirect_uri_means_the_place_of_the_consent_page(http, box):
    app = box.emulator.add_app("Demo", ["/callback"])
    for uri in ("https://any.example/callback", "http://evil.example:99/callback", "/callback", ""):
        answer = decide(http, box, client_id=app.client_id, redirect_uri=uri)
        assert answer.headers["Location"].startswith("/callback?code=")
    wrong = decide(http, box, client_id=app.client_id, redirect_uri="https://any.example/elsewhere")
    assert wrong.status_code == 400


def test_another_site_cannot_press_the_button(http, box):
    http.headers["Sec-Fetch-Site"] = "cross-site"
    assert decide(http, box).status_code == 400


def test_an_unknown_user_cannot_grant(http, box):
    for user in ("", "42", "x", "9" * 40):
        answer = http.post(authorize_url(box), data={"decision": "grant", "user": user}, allow_redirects=False)
        assert answer.status_code == 400


def test_a_code_gives_tokens_for_the_user_who_granted(http, box):
    code = answer_of(decide(http, box, login="bo@example.com"))["code"]
    answer = token(http, box, "authorization_code", code=code)
    pair = answer.json()
    assert set(pair) == {"access_token", "refresh_token", "expires_in", "token_type", "restricted_to"}
    assert (pair["token_type"], pair["expires_in"], pair["restricted_to"]) == ("bearer", 3600, [])
    me = http.get(f"{box.url}/2.0/users/me", headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert me.json()["login"] == "bo@example.com"


def test_a_code_works_once(http, box):
    code = code_for(http, box)
    assert token(http, box, "authorization_code", code=code).status_code == 200
    again = token(http, box, "authorization_code", code=code)
    assert again.status_code == 400
    assert again.json() == {
        "error": "invalid_grant",
        "error_description": "Auth code doesn't exist or is invalid for the client",
    }


def test_a_code_lives_30_seconds(http, box):
    box.emulator.clock.freeze()
    early, late = code_for(http, box), code_for(http, box)
    box.emulator.clock.advance(29.9)
    assert token(http, box, "authorization_code", code=early).status_code == 200
    box.emulator.clock.advance(0.1)
    answer = token(http, box, "authorization_code", code=late)
    assert (answer.status_code, answer.json()["error_description"]) == (400, "The authorization code has expired")


def test_a_code_is_bound_to_its_app(http, box):
    other, code = box.emulator.add_app("Other", [CALLBACK]), code_for(http, box)
    theirs = {"client_id": other.client_id, "client_secret": other.client_secret}
    assert token(http, box, "authorization_code", code=code, **theirs).json()["error"] == "invalid_grant"
    assert token(http, box, "authorization_code", code=code).status_code == 200


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"client_id": "nobody"}, {"client_secret": "ü"}])
def test_wrong_credentials_are_invalid_client(http, box, wrong):
    code = code_for(http, box)
    answer = token(http, box, "authorization_code", code=code, **wrong)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_client", "error_description": "The client credentials are invalid"}
    assert token(http, box, "authorization_code", code=code).status_code == 200


def test_credentials_in_a_basic_header_are_not_understood(http, box):
    app = box.emulator.app
    form = {"grant_type": "authorization_code", "code": code_for(http, box)}
    answer = http.post(f"{box.url}/oauth2/token", data=form, auth=(app.client_id, app.client_secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        ("", "Invalid grant_type parameter or parameter missing."),
        ("password", "Invalid grant_type parameter or parameter missing."),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "The grant type is unauthorized for this client_id."),
        ("client_credentials", 'Missing parameter: "box_subject_type" is required'),
        ("authorization_code", 'Missing parameter: "code" is required'),
    ],
)
def test_a_wrong_grant_is_an_invalid_request(http, box, grant, words):
    answer = token(http, box, grant)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": words}


def test_an_access_token_lives_60_minutes(http, box):
    box.emulator.clock.freeze()
    pair = box.emulator.sign_in("ada@example.com")
    box.emulator.clock.advance(3599)
    assert status_of(http, box, pair.access_token) == 200
    box.emulator.clock.advance(1)
    assert status_of(http, box, pair.access_token) == 401


def test_a_refresh_token_works_once(http, box):
    pair = box.emulator.sign_in("ada@example.com")
    first = refresh(http, box, pair.refresh_token)
    assert first.status_code == 200
    assert first.json()["refresh_token"] != pair.refresh_token
    second = refresh(http, box, pair.refresh_token)
    assert (second.status_code, second.json()) == (400, GONE)
    assert box.emulator.tokens.refreshes == {"accepted": 1, "refused": 1}
    assert refresh(http, box, first.json()["refresh_token"]).status_code == 200


def test_of_many_refreshing_at_once_exactly_one_wins(http, box):
    pair, ready = box.emulator.sign_in("ada@example.com"), threading.Barrier(8)
    statuses = []

    def race():
        with requests.Session() as session:
            session.trust_env = False
            ready.wait()
            statuses.append(refresh(session, box, pair.refresh_token).status_code)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 7


def test_a_refresh_token_expires_after_60_days(http, box):
    pair = box.emulator.sign_in("ada@example.com")
    box.emulator.clock.advance(60 * 86400)
    answer = refresh(http, box, pair.refresh_token)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": "Refresh token has expired"}


def test_a_refresh_token_outlives_its_access_token(http, box):
    pair = box.emulator.sign_in("ada@example.com")
    box.emulator.clock.advance(59 * 86400)
    assert status_of(http, box, pair.access_token) == 401
    assert refresh(http, box, pair.refresh_token).status_code == 200


def test_the_old_access_token_works_until_the_new_one_is_used(http, box):
    old = box.emulator.sign_in("ada@example.com")
    new = refresh(http, box, old.refresh_token).json()["access_token"]
    assert status_of(http, box, old.access_token) == 200
    assert status_of(http, box, new) == 200
    assert status_of(http, box, old.access_token) == 401


def test_another_sign_in_of_the_same_user_is_left_alone(http, box):
    here, there = (box.emulator.sign_in("ada@example.com") for _ in range(2))
    new = refresh(http, box, here.refresh_token).json()["access_token"]
    assert status_of(http, box, new) == 200
    assert status_of(http, box, there.access_token) == 200


def test_lenient_refresh_repeats_the_same_pair_until_it_is_used(http, box):
    box.emulator.set_options(lenient_refresh=True)
    box.emulator.clock.freeze()
    old = box.emulator.sign_in("ada@example.com")
    first = refresh(http, box, old.refresh_token).json()
    box.emulator.clock.advance(60)
    second = refresh(http, box, old.refresh_token).json()
    assert second == first | {"expires_in": 3540}
    assert status_of(http, box, first["access_token"]) == 200
    assert refresh(http, box, old.refresh_token).json() == GONE


def revoke(http, box, token, **changes):
    app = box.emulator.app
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token, **changes}
    return http.post(f"{box.url}/oauth2/revoke", data=form)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_pair(http, box, which):
    pair = box.emulator.sign_in("ada@example.com")
    answer = revoke(http, box, getattr(pair, which))
    assert (answer.status_code, answer.content) == (200, b"")
    assert status_of(http, box, pair.access_token) == 401
    assert refresh(http, box, pair.refresh_token).json() == GONE


def test_revoking_needs_the_secret_of_the_app_that_owns_the_token(http, box):
    pair, other = box.emulator.sign_in("ada@example.com"), box.emulator.add_app("Other", [CALLBACK])
    assert revoke(http, box, pair.access_token, client_secret="wrong").json()["error"] == "invalid_client"
    revoke(http, box, pair.access_token, client_id=other.client_id, client_secret=other.client_secret)
    assert status_of(http, box, pair.access_token) == 200


def test_tokens_can_be_expired_and_revoked_for_one_user_alone(http, box):
    ada, bo = box.emulator.sign_in("ada@example.com"), box.emulator.sign_in("bo@example.com")
    box.emulator.expire_tokens("access", user="ada@example.com")
    assert (status_of(http, box, ada.access_token), status_of(http, box, bo.access_token)) == (401, 200)
    box.emulator.expire_tokens("refresh", user="ada@example.com")
    assert refresh(http, box, ada.refresh_token).json()["error_description"] == "Refresh token has expired"
    box.emulator.revoke_tokens(user="bo@example.com")
    assert status_of(http, box, bo.access_token) == 401
    assert refresh(http, box, bo.refresh_token).json() == GONE


@pytest.mark.parametrize("value", [None, 0, "3600", 10**12, "soon"])
def test_the_token_answer_can_be_made_odd(http, box, value):
    box.emulator.set_options(token_overrides={"expires_in": value})
    answer = refresh(http, box, box.emulator.sign_in("ada@example.com").refresh_token).json()
    assert answer.get("expires_in") == value
    assert ("expires_in" in answer) == (value is not None)


def test_the_lifetime_of_access_tokens_can_be_set(http, box):
    box.emulator.set_options(access_token_lifetime=4175)
    pair = token(http, box, "authorization_code", code=code_for(http, box)).json()
    assert pair["expires_in"] == 4175
    box.emulator.clock.advance(4000)
    assert status_of(http, box, pair["access_token"]) == 200


def test_a_token_pair_does_not_show_its_tokens():
    assert repr(TokenPair("secret-a", "secret-r", 60)) == "TokenPair(expires_in=60)"
