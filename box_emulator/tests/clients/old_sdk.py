"""Box's older Python SDK through a day's work. By hand: it needs boxsdk<4, in an environment of its own.

python -m venv old && old/bin/pip install 'boxsdk<4' && python -m box_emulator --port 8081
old/bin/python box_emulator/tests/clients/old_sdk.py http://127.0.0.1:8081
"""

import hashlib
import io
import json
import sys
import tempfile
from urllib.parse import parse_qs, urlsplit

import requests
from boxsdk import Client, OAuth2
from boxsdk.config import API
from boxsdk.exception import BoxAPIException, BoxOAuthException

url = sys.argv[1]
API.BASE_API_URL = f"{url}/2.0"
API.UPLOAD_URL = f"{url}/api/2.0"
API.OAUTH2_API_URL = f"{url}/oauth2"
API.OAUTH2_AUTHORIZE_URL = f"{url}/api/oauth2/authorize"
saw = {}

# sign in
auth = OAuth2(client_id="emulator-client-id", client_secret="emulator-client-secret")
page, csrf = auth.get_authorization_url("http://localhost:5000/callback")
users = requests.get(f"{url}/_emulator/", timeout=5).json()["users"]
bo = next(user for user in users if user["login"] == "bo@example.com")
answer = requests.post(page, data={"decision": "grant", "user": bo["id"]}, allow_redirects=False, timeout=5)
back = parse_qs(urlsplit(answer.headers["Location"]).query)
assert back["state"] == [csrf]
auth.authenticate(back["code"][0])
client = Client(auth)
saw["user"] = client.user().get().login

# list
saw["list"] = [item.name for item in client.folder("0").get_items(limit=2, sort="name", direction="desc")]
saw["marker"] = [item.name for item in client.folder("0").get_items(limit=2, use_marker=True)]

# create
folder = client.root_folder().create_subfolder("From the older SDK")
try:
    client.root_folder().create_subfolder("FROM the older sdk")
except BoxAPIException as error:
    saw["conflict"] = (error.status, error.code)

# upload
file = folder.upload_stream(io.BytesIO(b"hello"), "note.txt")
file.update_contents_with_stream(io.BytesIO(b"hello again"))
folder.preflight_check(size=5, name="other.txt")
checked = folder.upload_stream(io.BytesIO(b"12345"), "checked.txt", preflight_check=True, preflight_expected_size=5)
saw["upload"] = (file.name, checked.size if hasattr(checked, "size") else checked.get().size)
data = b"abcdefg" * (3 * 1024 * 1024)
with tempfile.NamedTemporaryFile(suffix=".bin") as big:
    big.write(data)
    big.flush()
    whole = folder.get_chunked_uploader(big.name).start()
saw["parts"] = whole.get().size == len(data)

# download
saw["download"] = file.content().decode()
saw["range"] = file.content(byte_range=(0, 4)).decode()
saw["bytes"] = hashlib.sha1(whole.content()).hexdigest() == whole.get().sha1
saw["address"] = requests.get(file.get_download_url(), timeout=5).text

# search
saw["search"] = [item.name for item in client.search().query("note", ancestor_folders=[folder])]

# change
saw["rename"] = file.rename("renamed.txt").name
saw["copy"] = file.copy(parent_folder=client.root_folder(), name="copied.txt").name
saw["move"] = file.move(parent_folder=client.root_folder(), name="moved.txt").parent.id
file.lock()
saw["lock"] = [file.get(fields=["lock"]).response_object["lock"]["type"], file.unlock().name]
saw["link"] = file.get_shared_link(access="open").startswith("http")
saw["comment"] = file.add_comment("hi").message
saw["versions"] = len(list(file.get_previous_versions()))
saw["downscope"] = [part["scope"] for part in client.downscope_token(["item_download"], file).restricted_to]

# delete
saw["delete"] = [file.delete(), folder.delete(recursive=True)]
saw["trash"] = sorted(item.name for item in client.trash().get_items())
client.trash().restore_item(file)
saw["restored"] = file.get().name
file.delete()
client.trash().permanently_delete_item(file)
auth.refresh(auth.access_token)
saw["refresh"] = client.user().get().login
try:
    saw["revoke"] = auth.revoke() is None
except BoxOAuthException as error:  # it wants JSON, where the description has an empty answer
    saw["revoke"] = str(error.status)
sys.stdout.write(json.dumps(saw, indent=1))
