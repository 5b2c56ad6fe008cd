"""The addresses in the rows of a list are those that url_for gives, whatever Box says, and wherever the app is."""

import re

import pytest
from flask import Flask, url_for
from werkzeug.routing import BuildError

import files
from app import app
from box_auth.flask import box
from files.addresses import Addresses

ODD = [
    "1",
    "0",
    "00",
    "7\n",
    "12345678901234567890",
    "1" * 21,
    "٣",
    "a/b",
    "a b",
    "%",
    "%s",
    "ä",
    "",
    None,
    5,
    True,
    [1],
]
PLACES = ["http://localhost", "http://localhost/below/here", "http://localhost/100%25s/9999999999999999999"]


def moved():
    """An app that has the pages elsewhere."""
    other = Flask("other", root_path=app.root_path)
    box.init_app(other)
    other.register_blueprint(files.pages, url_prefix="/of/box")
    return other


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("make", [lambda: app, moved], ids=["here", "moved"])
def test_of_whatever_is_in_a_row(make, place):
    with make().test_request_context("/", base_url=place):
        address = Addresses()
        for number in (*ODD, *ODD):
            for endpoint, name in (("file", "file_id"), ("folder", "folder_id"), ("delete", "item")):
                assert attempt(address, f"files.{endpoint}", {name: number}) == attempt(
                    url_for, f"files.{endpoint}", {name: number}
                )
            for other in ODD:
                two = {"of": other, "file_id": number}
                assert attempt(address, "files.thumbnail", two) == attempt(url_for, "files.thumbnail", two)


def attempt(address, endpoint, values):
    try:
        return address(endpoint, **values)
    except BuildError:
        return BuildError


def test_of_what_is_no_item_there_is_none():
    with app.test_request_context("/"):
        address = Addresses()
        for item in ({}, {"type": "web_link", "id": "1"}, {"type": ["file"], "id": "1"}, {"type": "file", "id": "1/2"}):
            assert address.of_item(item) is None
        assert address.of_thumbnail({"id": "x"}) is None
        for numbers in ({"file_id": "1"}, {"file_id": "1", "of": "2"}, {"file_id": "1"}):
            assert address("files.thumbnail", **numbers) == url_for("files.thumbnail", **numbers)
        assert address.of_item({"type": "folder", "id": "0"}) == "/files/"
        assert address.of_item({"type": "file", "id": 12}) == "/files/file/12"


def test_each_request_has_its_own(signed_in, emulator):
    emulator.add_item("nil@example.com", "a.pdf")
    browser = signed_in(app, "nil@example.com")
    for place, path in (("http://localhost", ""), ("http://localhost/below", "/below"), ("http://localhost", "")):
        page = browser.get("/files/", base_url=place).text
        assert re.findall(r'<a href="([^"]*)/files/file/\d+"><bdi>a.pdf', page) == [path]
        assert re.findall(r'<img src="([^"]*)/files/file/\d+/thumbnail\?of=\d+"', page) == [path]
