"""A client that nobody here wrote works against the emulator as it is: Box's own SDK for Node."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

CLIENTS = Path(__file__).with_name("clients")
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    not NODE or not (CLIENTS / "node_modules" / "box-node-sdk").is_dir(),
    reason="Box's Node SDK is not installed (npm install --prefix box_emulator/tests/clients)",
)


def code_for(box, login):
    """What a browser brings back when this user grants access."""
    app, user = box.emulator.app, box.emulator.users.named(login)
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": "http://localhost:5000/callback"}
    page = f"{box.url}/api/oauth2/authorize"
    form = {"decision": "grant", "user": user.id}
    answer = requests.post(page, params=query, data=form, allow_redirects=False, timeout=5)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def test_the_node_sdk_does_a_days_work(box, emulator):
    order = json.dumps({"settings": box.settings, "code": code_for(box, "bo@example.com")})
    done = subprocess.run([NODE, CLIENTS / "node.mjs", order], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "user": "bo@example.com",
        "list": [5, 2, 2, True],
        "create": ["folder", "From Node", "0"],
        "conflict": [409, "item_name_in_use"],
        "upload": ["note.txt", True, "checked.txt", 20 * 1024 * 1024 + 5],
        "download": "hello again",
        "bytes": True,
        "search": ["note.txt"],
        "change": ["renamed.txt", "open", "hi"],
        "downscope": [["item_download"], None],
        "delete": 404,
        "refresh": "bo@example.com",
    }
    assert not [request for request in emulator.requests if request.status is None or request.status >= 500]
