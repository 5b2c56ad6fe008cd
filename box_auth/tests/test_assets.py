"""Static files: their addresses change with what is in them, browsers keep them, and they travel compressed."""

import contextlib
import gzip
import http.client
import os
import re
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Blueprint, Flask, redirect, send_file, session, url_for

from box_auth.flask import BoxAuth, assets

from .small_apps import Browser

FOREVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
LONG = "p { margin: 0 }\n" * 200
FILES = {
    "long.js": b"let x = 1;\n" * 500,
    "long.svg": b"<svg><g/></svg>" * 500,
    "short.css": b"p { margin: 0 }",
    "empty.css": b"",
    "picture.png": b"\x89PNG" + b"\0" * 5000,
    "page.css.gz": gzip.compress(b"p" * 9000),
    "large.css": b"p" * (assets.LARGEST + 1),
}


class Answer:
    """What a server sent, as it sent it: nothing is decompressed, nothing was asked for that is not named here."""

    def __init__(self, url: str, method: str = "GET", **headers: str) -> None:
        parts = urlsplit(url)
        with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=20)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, f"{parts.path}?{parts.query}", skip_accept_encoding=True)
            for name, value in named.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def kept(self) -> str:
        return self.headers["Cache-Control"]

    @property
    def tag(self) -> str:
        return self.headers["ETag"]


class Sheet:
    """The style sheet of an app that runs."""

    def __init__(self, app) -> None:
        self.path, self.app = app.folder / "static" / "style.css", app

    @property
    def address(self) -> str:
        """Where the page says that it is."""
        page = Answer(f"{self.app.url}/").body.decode()
        return self.app.url + re.search(r'href="(/static/style.css[^"]*)"', page)[1]

    @property
    def bare(self) -> str:
        return f"{self.app.url}/static/style.css"


@pytest.fixture
def sheet(live):
    sheet = Sheet(live)
    before = sheet.path.read_bytes()
    sheet.path.write_text(LONG)
    yield sheet
    sheet.path.write_bytes(before)


class TestAnAddress:
    def test_changes_with_what_is_in_the_file_and_with_nothing_else(self, sheet):
        first = sheet.address
        assert re.fullmatch(r".*/static/style.css\?v=[0-9a-f]{12}", first)
        os.utime(sheet.path, (1, 1))
        assert sheet.address == first
        sheet.path.write_text(LONG.upper())
        os.utime(sheet.path, (1, 1))  # as long and as old as before: what copies in images and archives can be
        assert sheet.address != first
        other = sheet.path.with_name("other.css")
        other.write_text(LONG)
        other.replace(sheet.path)
        assert sheet.address == first

    def test_with_the_name_of_what_comes_is_kept_for_ever_and_any_other_asked_for_again(self, sheet):
        assert Answer(sheet.address).kept == FOREVER
        for other in ("", "?v=", "?v=0123456789ab", "?v=v&v=w", "?w=1"):
            answer = Answer(sheet.bare + other)
            assert (answer.status, answer.body.decode(), answer.kept) == (200, LONG, ASK_AGAIN)
            again = Answer(sheet.bare + other, If_None_Match=answer.tag)
            assert (again.status, again.body, again.kept) == (304, b"", ASK_AGAIN)

    def test_of_old_content_keeps_nothing_new_and_one_of_new_content_nothing_old(self, sheet):
        old, tag = sheet.address, Answer(sheet.address).tag
        sheet.path.write_text(LONG.upper())
        new = sheet.address
        late = Answer(old, If_None_Match=tag)
        assert (late.status, late.body.decode(), late.kept) == (200, LONG.upper(), ASK_AGAIN)
        sheet.path.write_text(LONG)  # an instance that still has the version before
        early = Answer(new)
        assert (early.body.decode(), early.kept) == (LONG, ASK_AGAIN)
        sheet.path.write_text(LONG.upper())
        assert Answer(new, If_None_Match=early.tag).body.decode() == LONG.upper()
        assert Answer(new).kept == FOREVER

    def test_that_is_asked_for_again_all_the_same_stays_kept(self, sheet):
        for encoding in ("gzip", "identity"):
            tag = Answer(sheet.address, Accept_Encoding=encoding).tag
            again = Answer(sheet.address, Accept_Encoding=encoding, If_None_Match=tag)
            assert (again.status, again.kept, again.headers["Vary"]) == (304, FOREVER, "Accept-Encoding")


class TestCompression:
    @pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", "GZIP;q=0.5", "*", "br, *;q=0.1"])
    def test_is_for_browsers_that_take_it(self, sheet, accepted):
        answer = Answer(sheet.address, Accept_Encoding=accepted)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.body).decode() == LONG
        assert len(answer.body) == int(answer.headers["Content-Length"]) < len(LONG) / 5
        assert (answer.headers["Vary"], answer.kept) == ("Accept-Encoding", FOREVER)
        assert answer.headers["Accept-Ranges"] is None

    @pytest.mark.parametrize("accepted", [None, "", "gzip;q=0", "gzip;q=0, *", "*;q=0", "br", "identity"])
    def test_is_not_for_others(self, sheet, accepted):
        answer = Answer(sheet.address, **({} if accepted is None else {"Accept_Encoding": accepted}))
        assert answer.headers["Content-Encoding"] is None
        assert answer.body.decode() == LONG
        assert (answer.headers["Vary"], answer.kept) == ("Accept-Encoding", FOREVER)

    def test_has_a_tag_of_its_own_for_that_content_and_no_other(self, sheet):
        plain, packed = Answer(sheet.bare), Answer(sheet.bare, Accept_Encoding="gzip")
        assert plain.tag != packed.tag
        assert not {plain.tag[:2], packed.tag[:2]} & {"W/"}
        assert Answer(sheet.bare, Accept_Encoding="gzip", If_None_Match=plain.tag).status == 200
        os.utime(sheet.path, (1, 1))
        assert Answer(sheet.bare).tag == plain.tag

    def test_is_told_by_head_as_by_get(self, sheet):
        for encoding in ("gzip", "identity"):
            got, told = (Answer(sheet.address, method, Accept_Encoding=encoding) for method in ("GET", "HEAD"))
            assert told.body == b""
            for name in ("Content-Length", "Content-Encoding", "Content-Type", "Cache-Control", "ETag", "Vary"):
                assert told.headers[name] == got.headers[name]

    def test_is_not_for_parts(self, sheet):
        part = Answer(sheet.bare, Accept_Encoding="gzip", Range="bytes=2-9")
        assert (part.status, part.body.decode(), part.headers["Content-Encoding"]) == (206, LONG[2:10], None)
        assert part.headers["Content-Range"] == f"bytes 2-9/{len(LONG)}"
        assert part.headers["Vary"] == "Accept-Encoding"
        whole = Answer(sheet.bare)
        going_on = Answer(sheet.bare, Range="bytes=2-9", If_Range=whole.tag)
        assert (going_on.status, going_on.body.decode()) == (206, LONG[2:10])
        assert going_on.tag == whole.tag
        assert Answer(sheet.bare, Range="bytes=99999-", If_Range=whole.tag).body.decode() == LONG
        sheet.path.write_text(LONG.upper())
        for encoding in ("gzip", "identity"):
            changed = Answer(sheet.bare, Range="bytes=2-9", If_Range=whole.tag, Accept_Encoding=encoding)
            assert changed.status == 200
        assert Answer(sheet.bare, Range="bytes=99999-").status == 416

    def test_is_not_for_pages(self, live):
        """They hold a token beside what visitors send."""
        page = Answer(f"{live.url}/login?{'x' * 3000}", Accept_Encoding="gzip")
        assert page.headers["Content-Encoding"] is None
        page = Answer(f"{live.url}/callback?state={'x' * 3000}", Accept_Encoding="gzip")
        assert (page.status, page.headers["Content-Encoding"]) == (400, None)


@pytest.fixture
def app(make):
    """An app of this process, with files of several kinds, and a blueprint in a blueprint that has them, too."""
    app, box = make.bare(), BoxAuth()
    box.init_app(app)
    make.add_pages(app, box)
    return with_files(app)


def with_files(app: Flask) -> Flask:
    folder = Path(app.static_folder)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    inner = Blueprint("inner", app.name, static_folder=folder, url_prefix="/inner")
    outer = Blueprint("outer", app.name, static_folder=folder, static_url_path="/files", url_prefix="/outer")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


def address(app: Flask, filename: object, endpoint: str = "static", root: str = "", **values: object) -> str:
    with app.test_request_context(environ_overrides={"SCRIPT_NAME": root}):
        return url_for(endpoint, filename=filename, **values)


def get(app: Flask, path: str, **options):
    with app.test_client().get(path, **options) as answer:
        answer.get_data()
        return answer


class TestFiles:
    def test_that_are_written_faster_than_the_clock_ticks_are_told_apart(self, app, monkeypatch):
        def on_a_disk_whose_clock_ticks_each_second(path, state=assets._state):
            return *state(path)[:2], *(moment // 10**9 * 10**9 for moment in state(path)[2:4]), state(path)[4]

        monkeypatch.setattr(assets, "_state", on_a_disk_whose_clock_ticks_each_second)
        file, names = Path(app.static_folder) / "short.css", set()
        for number in range(200):
            with file.open("r+") as open_file:
                open_file.write(f"{number:014}")
            names.add(address(app, "short.css"))
        assert len(names) == 200

    @pytest.mark.parametrize("name", ["short.css", "empty.css", "picture.png", "long.js", "long.svg"])
    def test_of_every_kind_are_kept_and_the_long_texts_compressed(self, app, name):
        answer = get(app, address(app, name), headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Cache-Control"] == FOREVER
        assert ("Content-Encoding" in answer.headers) == name.startswith("long")
        assert ("Vary" in answer.headers) == (name != "picture.png")
        assert (gzip.decompress(answer.data) if name.startswith("long") else answer.data) == FILES[name]

    def test_of_blueprints_have_such_addresses_too_wherever_they_are(self, app):
        named = r"\?v=[0-9a-f]{12}"
        for endpoint, path in (("outer.static", "/outer/files"), ("outer.inner.static", "/outer/inner/static")):
            found = address(app, "long.js", endpoint)
            assert re.fullmatch(f"{path}/long.js{named}", found)
            assert get(app, found).headers["Cache-Control"] == FOREVER
            assert address(app, "long.js", endpoint, root="/below/here") == f"/below/here{found}"

    def test_that_are_compressed_already_or_too_large_to_read_are_as_flask_has_them(self, app):
        packed = get(app, address(app, "page.css.gz"), headers={"Accept-Encoding": "gzip"})
        assert (packed.headers["Content-Encoding"], packed.data) == ("gzip", FILES["page.css.gz"])
        assert address(app, "large.css") == "/static/large.css"
        large = get(app, "/static/large.css?v=1", headers={"Accept-Encoding": "gzip"})
        assert (len(large.data), large.headers["Cache-Control"]) == (assets.LARGEST + 1, ASK_AGAIN)

    def test_are_compressed_once_whatever_their_names_while_there_is_room(self, app, monkeypatch):
        compressed = []
        monkeypatch.setattr(
            gzip,
            "compress",
            lambda body, compress=gzip.compress, **how: compressed.append(body) or compress(body, **how),
        )
        accepting = {"headers": {"Accept-Encoding": "gzip"}}
        for path in ("/static/long.js", address(app, "long.js"), "/outer/files/long.js"):
            first = get(app, path, **accepting).data
        assert compressed == [FILES["long.js"]]
        monkeypatch.setattr(assets, "KEPT", len(first))
        assert gzip.decompress(get(app, "/static/long.svg", **accepting).data) == FILES["long.svg"]
        assert get(app, "/static/long.js", **accepting).data == first
        assert compressed == [FILES["long.js"], FILES["long.svg"], FILES["long.js"]]

    def test_that_are_missing_or_elsewhere_have_the_addresses_that_flask_gives(self, app, make):
        (Path(app.static_folder).parent / "secret.txt").write_text("secret")
        os.mkfifo(Path(app.static_folder) / "pipe")
        bare = with_files(make.bare())
        names = ["nowhere.css", "folder", "pipe", "", ".", "..", 7, None, "short.css/x", "short.css\0", "\ud800.css"]
        names += ["../secret.txt", "folder/../../secret.txt", f"{app.root_path}/secret.txt", "x" * 9000]
        for name in names:
            assert attempt(app, name) == attempt(bare, name), name
        assert attempt(app, "nowhere.css") == "/static/nowhere.css"


def attempt(app, name):
    try:
        return address(app, name)
    except Exception as error:
        return type(error)


class TestWhatAForkSays:
    def test_of_how_long_its_files_are_kept_stays(self, app):
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60
        for path in (address(app, "short.css"), "/static/short.css"):
            assert get(app, path).headers["Cache-Control"] == "public, max-age=60"

    def test_in_a_header_or_an_address_of_its_own_stays(self, app):
        assert address(app, "short.css", v="mine") == "/static/short.css?v=mine"

        @app.after_request
        def say(response):
            response.headers["Cache-Control"] = "max-age=5"
            return response

        assert get(app, address(app, "short.css")).headers["Cache-Control"] == "max-age=5"

    def test_with_static_files_that_it_serves_itself_is_what_comes(self, make):
        app, box = make.bare(), BoxAuth()
        with_files(app)
        box.init_app(app)
        app.view_functions["static"] = lambda filename: send_file(BytesIO(b"elsewhere"), mimetype="text/css")
        answer = get(app, address(app, "short.css"))
        assert (answer.text, answer.headers["Cache-Control"]) == ("elsewhere", ASK_AGAIN)
        app.view_functions["static"] = lambda filename: redirect("https://cdn.example.com/short.css")
        assert get(app, address(app, "short.css")).location == "https://cdn.example.com/short.css"
        bare = Flask("none", static_folder=None)
        box.init_app(bare)
        assert get(bare, "/static/short.css").status_code == 404

    def test_on_a_page_that_has_the_name_of_static_files_is_not_compressed(self, make):
        app, box = make.bare(), BoxAuth()
        box.init_app(app)
        page = Blueprint("own", __name__)
        page.add_url_rule("/own", "static", lambda: "<p>the form's token</p>" * 500)
        app.register_blueprint(page)
        answer = get(app, "/own", headers={"Accept-Encoding": "gzip"})
        assert ("Content-Encoding" in answer.headers, "ETag" in answer.headers) == (False, False)


class TestAVisitor:
    def test_who_is_signed_in_gets_files_without_cookies_that_any_cache_may_keep(self, app):
        browser = Browser(app)
        browser.sign_in()
        with browser.get(address(app, "short.css")) as answer:
            assert answer.headers["Cache-Control"] == FOREVER
            assert "Set-Cookie" not in answer.headers
            assert answer.headers["Vary"] == "Accept-Encoding"

    def test_whom_the_app_looked_at_first_gets_files_that_only_their_browser_keeps(self, app):
        app.before_request(lambda: session.get("box_user") and None)
        answer = get(app, address(app, "short.css"))
        assert answer.headers["Cache-Control"] == FOREVER.replace("public", "private")

    def test_who_gets_a_cookie_with_a_file_does_not_keep_it(self, app):
        @app.after_request
        def count(response):
            response.set_cookie("visits", "1")
            return response

        assert get(app, address(app, "short.css")).headers["Cache-Control"] == ASK_AGAIN

    def test_who_gets_a_cookie_from_what_was_there_first_is_the_only_one_to_keep_it(self, make):
        app = make.bare()
        app.after_request(lambda response: response.set_cookie("visits", "1") or response)
        BoxAuth().init_app(with_files(app))
        answer = get(app, address(app, "short.css"))
        assert ("Set-Cookie" in answer.headers, answer.headers["Cache-Control"]) == (
            True,
            FOREVER.replace("public", "private"),
        )

    def test_is_told_of_a_missing_file_by_a_page_that_nobody_keeps(self, app):
        for path in ("/static/nowhere.css?v=0123456789ab", "/outer/files/nowhere.css"):
            answer = get(app, path)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "private, no-store")

    def test_of_an_app_that_cannot_start_sees_its_page_in_its_style(self, make):
        make.set(CLIENT_ID="half")
        app = make(templates={"problem.html": "{{ url_for('static', filename='style.css') }} {{ problem.code }}"})
        (path, code) = get(app, "/").text.split()
        assert (code, get(app, path).headers["Cache-Control"]) == ("settings", FOREVER)
