"""What a token may do: scopes, token exchange, client credentials and rate limits, over real sockets."""

import pytest
import requests

from box_emulator import App
from box_emulator.scopes import SCOPES, allows, holds, operations

ADA, BO = "ada@example.com", "bo@example.com"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
def ada(box):
    return box.emulator.sign_in(ADA).access_token


@pytest.fixture
def call(box):
    """Call the content API with a token and return the answer."""
    with requests.Session() as session:
        session.trust_env = False

        def call(token, operation, **options):
            method, path = operation.split(" ")
            headers = {"Authorization": f"Bearer {token}"}
            return session.request(method, f"{box.url}/2.0{path}", headers=headers, allow_redirects=False, **options)

        yield call


@pytest.fixture
def ask(box):
    """Ask for a token and return the answer."""
    return lambda **form: requests.post(f"{box.url}/oauth2/token", data=form, timeout=5)


@pytest.fixture
def exchange(ask):
    def exchange(token, scope, **form):
        parts = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "scope": scope}
        return ask(**parts | form)

    return exchange


@pytest.fixture
def tree(box):
    """A folder with a file in it, and a file beside it; their ids."""
    folder = box.emulator.add_item(ADA, "inside", "folder")
    deep = box.emulator.add_item(ADA, "deep", "folder", parent=folder)
    file = box.emulator.add_item(ADA, "in.txt", parent=deep, content=b"in")
    outside = box.emulator.add_item(ADA, "out.txt", content=b"out")
    return {"folder": folder.id, "deep": deep.id, "file": file.id, "outside": outside.id}


def test_a_token_is_exchanged_for_one_that_may_do_less(exchange, ada, tree, box):
    answer = exchange(ada, "base_explorer item_download", resource=f"https://api.box.com/2.0/folders/{tree['folder']}")
    assert answer.status_code == 200
    parts = answer.json()
    assert set(parts) == {"access_token", "expires_in", "token_type", "restricted_to", "issued_token_type"}
    assert parts["issued_token_type"] == ACCESS_TOKEN
    assert 3590 <= parts["expires_in"] <= 3600
    restrictions = [(part["scope"], part["object"]["type"], part["object"]["id"]) for part in parts["restricted_to"]]
    assert restrictions == [("base_explorer", "folder", tree["folder"]), ("item_download", "folder", tree["folder"])]


def test_it_is_good_for_its_scopes_and_nothing_else(exchange, call, ada, tree):
    token = exchange(ada, "base_explorer item_delete").json()["access_token"]
    assert call(token, f"GET /folders/{tree['folder']}/items").status_code == 200
    for operation in (f"GET /files/{tree['file']}/content", "GET /users/me"):
        refused = call(token, operation)
        assert (refused.status_code, refused.content) == (403, b"")
        assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


def test_it_is_good_for_its_folder_with_all_below_and_nothing_else(exchange, call, ada, tree):
    resource = f"https://api.box.com/2.0/folders/{tree['deep']}"
    token = exchange(ada, "base_explorer item_download", resource=resource).json()["access_token"]
    assert call(token, f"GET /files/{tree['file']}").status_code == 200
    assert call(token, f"GET /files/{tree['file']}/content").status_code == 302
    for operation in (f"GET /files/{tree['outside']}", f"GET /folders/{tree['folder']}", "GET /folders/0/items"):
        refused = call(token, operation)
        assert (refused.status_code, refused.json()["code"]) == (403, "access_denied_insufficient_permissions")
    assert call(token, "GET /files/404").status_code == 404


def test_it_can_neither_write_nor_look_outside_its_folder(exchange, call, ada, tree, box):
    resource = f"https://api.box.com/2.0/folders/{tree['folder']}"
    token = exchange(ada, "root_readwrite", resource=resource).json()["access_token"]
    inside, outside = ({"id": tree["deep"]}, {"id": "0"})
    assert call(token, "POST /folders", json={"name": "new", "parent": inside}).status_code == 201
    big = {"folder_id": "0", "file_size": 30_000_000, "file_name": "big.bin"}
    session = call(ada, "POST /files/upload_sessions", json=big).json()["id"]
    comment = {"message": "hi", "item": {"id": tree["outside"], "type": "file"}}
    form = {"attributes": (None, '{"name": "up.txt", "parent": {"id": "0"}}'), "file": ("up.txt", b"up")}
    for operation, options in (
        ("POST /folders", {"json": {"name": "new", "parent": outside}}),
        (f"PUT /files/{tree['file']}", {"json": {"parent": outside}}),
        (f"POST /files/{tree['file']}/copy", {"json": {"parent": outside}}),
        ("POST /files/content", {"files": form}),
        ("POST /files/upload_sessions", {"json": big}),
        (f"GET /files/upload_sessions/{session}", {}),
        ("POST /comments", {"json": comment}),
        (f"DELETE /files/{tree['outside']}", {}),
        ("GET /folders/trash/items", {}),
        ("GET /recent_items", {}),
    ):
        refused = call(token, operation, **options)
        assert (refused.status_code, refused.json()["code"]) == (403, "access_denied_insufficient_permissions"), (
            operation
        )
    assert {entry["name"] for entry in call(token, "GET /search?query=txt").json()["entries"]} == {"in.txt"}
    assert call(ada, "GET /search?query=out.txt").json()["total_count"] == 1


def test_the_permissions_of_an_item_follow_the_scopes(exchange, call, ada, tree):
    token = exchange(ada, "base_explorer item_download item_rename").json()["access_token"]
    file = call(token, f"GET /files/{tree['file']}?fields=permissions").json()["permissions"]
    allowed = {name for name, value in file.items() if value}
    assert allowed == {"can_download", "can_rename"}
    assert all(call(ada, f"GET /files/{tree['file']}?fields=permissions").json()["permissions"].values())


def test_a_token_for_a_shared_link_is_for_what_it_leads_to(exchange, call, ada, tree):
    def share(**link):
        change = {"shared_link": {"access": "open", **link}}
        return call(ada, f"PUT /folders/{tree['deep']}?fields=shared_link", json=change).json()["shared_link"]["url"]

    answer = exchange(ada, "base_explorer", box_shared_link=share()).json()
    assert answer["restricted_to"][0]["object"]["id"] == tree["deep"]
    assert call(answer["access_token"], f"GET /files/{tree['outside']}").status_code == 403
    for link in (share(password="secret-1234"), "https://app.box.com/s/unknown"):
        assert exchange(ada, "base_explorer", box_shared_link=link).json()["error"] == "invalid_resource"


def test_a_restricted_token_can_be_restricted_further_and_never_widened(exchange, call, ada, tree):
    resource = f"https://api.box.com/2.0/folders/{tree['folder']}"
    narrow = exchange(ada, "base_explorer item_download", resource=resource).json()["access_token"]
    narrower = exchange(narrow, "item_download", resource=f"https://api.box.com/2.0/files/{tree['file']}")
    assert narrower.status_code == 200
    same_place = exchange(narrow, "item_download").json()["access_token"]
    assert call(same_place, f"GET /files/{tree['outside']}/content").status_code == 403
    wider = exchange(narrow, "item_delete")
    assert (wider.status_code, wider.json()["error"]) == (401, "invalid_scope")
    elsewhere = exchange(narrow, "item_download", resource=f"https://api.box.com/2.0/files/{tree['outside']}")
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (400, "invalid_resource")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"scope": "make_coffee"}, 401, "invalid_scope"),
        ({"scope": ""}, 400, "invalid_request"),
        ({"subject_token": "unknown"}, 400, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, 400, "invalid_request"),
        ({"resource": "https://app.box.com/file/123"}, 400, "invalid_resource"),
        ({"resource": "https://api.box.com/2.0/files/404"}, 400, "invalid_resource"),
        ({"resource": "https://api.box.com/2.0/files/0"}, 400, "invalid_resource"),
        ({"resource": "http://[/2.0/files/1"}, 400, "invalid_resource"),
        ({"resource": "https://api.box.com/2.0/folders/0", "box_shared_link": "https://x"}, 400, "invalid_resource"),
    ],
)
def test_an_exchange_that_cannot_be_says_why(exchange, ada, changes, status, error):
    answer = exchange(ada, **{"scope": "item_download", **changes})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_another_users_file_is_no_resource(exchange, box, tree):
    bo = box.emulator.sign_in(BO).access_token
    answer = exchange(bo, "item_download", resource=f"https://api.box.com/2.0/files/{tree['file']}")
    assert answer.json() == {"error": "invalid_resource", "error_description": "The target resource is invalid."}


def test_an_exchanged_token_leaves_the_old_one_alone_and_does_not_outlive_it(exchange, call, ada, box):
    box.emulator.clock.freeze()
    box.emulator.clock.advance(3000)
    answer = exchange(ada, "root_readonly").json()
    assert (answer["expires_in"], answer["restricted_to"]) == (600, [])
    assert call(answer["access_token"], "GET /users/me").status_code == 200
    assert call(ada, "GET /users/me").status_code == 200
    box.emulator.clock.advance(600)
    assert call(answer["access_token"], "GET /users/me").status_code == 401


def test_scopes_asked_for_at_sign_in_stay_through_a_refresh(box, ask, call):
    app = box.emulator.app
    page = f"{box.url}/api/oauth2/authorize?response_type=code&scope=root_readonly&client_id={app.client_id}"
    form = {"decision": "grant", "user": box.emulator.users.named(ADA).id}
    page += "&redirect_uri=http://localhost/callback"
    granted = requests.post(page, data=form, allow_redirects=False, timeout=5)
    credentials = {"client_id": app.client_id, "client_secret": app.client_secret}
    code = granted.headers["Location"].partition("code=")[2]
    first = ask(grant_type="authorization_code", code=code, **credentials).json()
    again = ask(grant_type="refresh_token", refresh_token=first["refresh_token"], **credentials).json()
    for pair in (first, again):
        assert call(pair["access_token"], "GET /folders/0").status_code == 200
        assert call(pair["access_token"], "POST /folders", json={}).status_code == 403


def test_an_app_is_any_user_or_itself_by_client_credentials(box, ask, call):
    app = box.emulator.add_app("Robot")
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.client_secret}
    bo = box.emulator.users.named(BO)
    as_bo = ask(**form, box_subject_type="user", box_subject_id=bo.id).json()
    assert "refresh_token" not in as_bo
    assert call(as_bo["access_token"], "GET /users/me").json()["login"] == BO
    itself = {"box_subject_type": "enterprise", "box_subject_id": "900001"}
    logins = {call(ask(**form, **itself).json()["access_token"], "GET /users/me").json()["login"] for _ in range(2)}
    assert logins == {f"AutomationUser_{app.client_id}@boxdevedition.com"}
    for wrong in ({"box_subject_type": "user", "box_subject_id": "1"}, itself | {"box_subject_id": "2"}):
        assert ask(**form, **wrong).json() == {
            "error": "invalid_grant",
            "error_description": "Grant credentials are invalid",
        }


def test_the_table_tells_renaming_from_moving_and_sharing():
    rename, move = (operations("PUT", "/files/7", keys) for keys in (["name"], ["name", "parent"]))
    assert all(allows("item_rename", operation) for operation in rename)
    assert not all(allows("item_rename", operation) for operation in move)
    assert all(allows("root_readwrite", operation) for operation in move)
    assert allows("item_share", *operations("PUT", "/folders/7", ["shared_link"]))
    assert not allows("item_share item_rename", *operations("PUT", "/folders/7"))
    assert allows("base_upload", *operations("PUT", "/files/upload_sessions/F971964745A5CD0C"))


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_is_within_all_and_within_itself(scope):
    assert holds(None, scope)
    assert holds(scope, scope)
    assert not holds("item_task", scope) or scope == "item_task"
    assert holds("root_readwrite", scope) == (scope.startswith(("root", "base", "item_")) and scope != "item_task")


def test_rate_limits_are_off_until_asked_for_and_go_by_the_emulators_clock(box, call, ada):
    box.emulator.clock.freeze()

    def search():
        return call(ada, "GET /search?query=welcome")

    assert 429 not in [search().status_code for _ in range(8)]
    box.emulator.set_options(rate_limits=True)
    assert [search().status_code == 429 for _ in range(7)] == [False] * 6 + [True]
    refused = search()
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limit_exceeded")
    assert refused.headers["Retry-After"] == "1"
    assert call(ada, "GET /users/me").status_code == 200
    box.emulator.clock.advance(1)
    assert search().status_code != 429


def test_the_limits_are_boxs():
    from box_emulator.limits import Limits

    limits = Limits()
    assert [limits.count("1", "GET /files/:id", 0.0) for _ in range(1001)] == [None] * 1000 + [60]
    assert limits.count("2", "GET /files/:id", 0.0) is None
    assert limits.count("1", "GET /files/:id", 59.5) == 1
    assert limits.count("1", "GET /files/:id", 60.0) is None
    assert [limits.count("3", "POST /files/content", 0.0) for _ in range(241)] == [None] * 240 + [60]
    searches = [limits.count("4", "GET /search", float(second // 6)) for second in range(61)]
    assert searches == [None] * 60 + [50]
    waits = [limits.count(user, "GET /search", 200.0) for user in "567" for _ in range(6)]
    assert waits == [None] * 12 + [1] * 6


def test_several_apps_and_users_do_not_mix(box, ask, call):
    other = box.emulator.add_app("Other", ["http://localhost/other"])
    pairs = {
        (app.name, login): box.emulator.sign_in(login, app) for app in (box.emulator.app, other) for login in (ADA, BO)
    }
    for (_, login), pair in pairs.items():
        assert call(pair.access_token, "GET /users/me").json()["login"] == login
    theirs = ask(
        grant_type="refresh_token",
        refresh_token=pairs["Other", BO].refresh_token,
        client_id=box.emulator.app.client_id,
        client_secret=box.emulator.app.client_secret,
    )
    assert theirs.json()["error"] == "invalid_grant"
    assert isinstance(other, App)


def test_pictures_and_bytes_may_have_the_token_in_their_address(ada, emulator, http, box):
    picture = emulator.add_item("ada@example.com", "sea.png", content=b"\x89PNG")
    user = emulator.users.named("ada@example.com")
    for path in (f"/users/{user.id}/avatar", f"/files/{picture.id}/thumbnail.png", f"/files/{picture.id}/content"):
        assert http.get(f"{box.url}/2.0{path}?access_token={ada}").status_code == 200, path
        assert http.get(f"{box.url}/2.0{path}?access_token=wrong").status_code == 401, path
    for path in ("/users/me", f"/files/{picture.id}"):
        assert http.get(f"{box.url}/2.0{path}?access_token={ada}").status_code == 401, path


def test_every_answer_has_an_id_and_a_refusal_has_the_same_in_its_body(call, ada):
    ids = [call(ada, "GET /users/me").headers["BOX-REQUEST-ID"] for _ in range(2)]
    assert ids[0] != ids[1]
    refused = call(ada, "GET /files/404")
    assert refused.headers["BOX-REQUEST-ID"] == refused.json()["request_id"]
