"""The emulator's answers against Box's description of its API: ``BOX_OPENAPI`` names the file."""

import pytest

from .openapi_check import PATCHES, description

judge = description()
pytestmark = pytest.mark.skipif(judge is None, reason="BOX_OPENAPI does not name Box's description of its API")
ADA = "ada@example.com"


@pytest.fixture
def call(sdk, http, box):
    def call(method, path, body=None):
        headers = {"Authorization": f"Bearer {sdk.token}"}
        return http.request(method, f"{box.url}/2.0{path}", json=body, headers=headers).json()

    return call


def test_the_judge_finds_what_is_wrong():
    assert judge.problems("GET", "/users/me", 200, {"type": "user", "id": 1}) != []
    assert judge.problems("GET", "/users/me", 204, None) == ["GET /users/me 204: not described"]
    assert judge.problems("GET", "/users/me", 404, {"type": "error", "status": "404"}) != []
    assert judge.problems("GET", "/files/1/thumbnail.png", 404, {"type": "error", "status": 404}) == []
    folder = {"type": "folder", "id": "1"}
    assert judge.problems("GET", "/folders/trash/items", 200, {"entries": [folder]}) == []
    assert judge.problems("GET", "/folders/1/items", 200, {"entries": [{"type": "person"}]}) != []
    assert all(PATCHES.values())


def test_standard_forms_carry_all_the_keys_of_their_schema(call, sdk, emulator):
    file, folder = sdk.upload("file.txt"), call("POST", "/folders", {"name": "f", "parent": {"id": "0"}})
    link = call("POST", "/web_links", {"url": "https://example.com", "name": "w", "parent": {"id": "0"}})
    comment = call("POST", "/comments", {"message": "m", "item": {"type": "file", "id": file.id}})
    forms = {
        "User": call("GET", "/users/me"),
        "File": call("GET", f"/files/{file.id}"),
        "Folder": folder,
        "WebLink": link,
        "Comment": comment,
        "FileVersion": call("GET", f"/files/{file.id}/versions/{file.file_version.id}"),
    }
    forms["File--Mini"] = call("GET", f"/files/{file.id}?fields=nothing")
    forms["Folder--Mini"] = call("GET", f"/folders/{folder['id']}?fields=nothing")
    for kind, form in (("files", file.id), ("folders", folder["id"]), ("web_links", link["id"])):
        call_path = f"/{kind}/{form}"
        emulator.tree.trash(emulator.items.find(form))
        name = {"files": "TrashFile", "folders": "TrashFolder", "web_links": "TrashWebLink"}[kind]
        forms[name] = call("GET", f"{call_path}/trash")
        forms[f"{name}Restored"] = call("POST", call_path, {})
    for schema, form in forms.items():
        assert set(form) >= judge.keys(schema), schema
        assert set(form) - judge.keys(schema) <= {"item_collection"}, schema
