"""The pages about a single file, asked for as a browser would: preview, versions, comments, downloads."""

import json
import re
from io import BytesIO
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
import requests

from app import app

NIL = "nil@example.com"  # whose account is empty
EMBED_LINK = "GET /2.0/files/*"


@pytest.fixture
def plan(emulator):
    """A file of three versions, the middle one called otherwise."""
    file = emulator.add_item(NIL, "plan.txt", content=b"one", description="What comes <b>first</b>")
    for content in (b"two", b"three"):
        file = emulator.add_version(file, content)
    return file


@pytest.fixture
def browser(signed_in):
    return signed_in(app, NIL)


def form(page):
    """Return what the hidden fields of the last form on a page hold."""
    text = page.text[page.text.rindex('<form class="card') if '<form class="card' in page.text else 0 :]
    return dict(re.findall(r'<input(?=[^>]*type="hidden")[^>]* name="(\w+)"[^>]* value="([^"]*)"', text)) | dict(
        re.findall(r'<input id="(\w+)" name="\w+" type="hidden" value="([^"]*)"', text)
    )


def path(file, end=""):
    return f"/files/file/{file.id}{end}"


def said(page):
    """Return what the messages on a page say."""
    return " ".join(re.findall(r'<p class="message[^>]*>([^<]*)', page.text))


def in_json(text, status=200):
    return {"status": status, "body": json.dumps(text), "content_type": "application/json"}


# -------- What it is, and what it looks like


def test_a_page_tells_what_a_file_is_and_who_can_see_it(browser, plan, emulator):
    page = browser.get(path(plan)).text
    for fact in ("plan.txt", "What comes &lt;b&gt;first&lt;/b&gt;", "Text", "5 Bytes", "Nil Newcomer"):
        assert fact in page
    assert "Everybody who has the link" not in page
    token = form(browser.get(path(plan)))["csrf_token"]
    browser.post(f"/files/file:{plan.id}/share", data={"csrf_token": token, "access": "open"})
    assert "Everybody who has the link" in browser.get(path(plan)).text


def test_the_preview_is_a_frame_from_exactly_the_host_that_box_names(browser, plan):
    page = browser.get(path(plan))
    frame = re.search(r'<iframe[^>]* src="([^"]+)"[^>]*>', page.text)
    address = frame[1].replace("&amp;", "&")
    parts = urlsplit(address)
    allowed = dict(rule.strip().split(" ", 1) for rule in page.headers["Content-Security-Policy"].split(";"))
    assert allowed["frame-src"] == f"{parts.scheme}://{parts.netloc}"
    assert allowed["default-src"] == allowed["form-action"] == "'self'"
    assert 'title="Preview of plan.txt"' in frame[0]
    assert "three" in requests.get(address, timeout=10).text
    for other in (browser.get(path(plan, "/versions")), browser.get("/files/")):
        assert "frame-src" not in other.headers["Content-Security-Policy"]


def test_a_preview_is_asked_for_anew_each_time_and_kept_by_nobody(browser, plan, emulator):
    page = browser.get(path(plan))
    assert page.headers["Cache-Control"] == "private, no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    first, own_tab = (
        re.search(r'<iframe[^>]* src="([^"]+)"', page.text)[1].replace("&amp;", "&"),
        path(plan, "/preview"),
    )
    emulator.clock.advance(61)
    assert requests.get(first, timeout=10).status_code == 403
    assert f'href="{own_tab}" target="_blank"' in page.text
    beside = browser.get(own_tab)
    assert beside.headers["Cache-Control"] == "private, no-store"
    assert requests.get(beside.location, timeout=10).status_code == 200


BOX = "https://cloud.app.box.com"


def test_only_boxs_host_may_be_in_the_frame_and_the_token_that_comes_with_it_stays_with_us(browser, plan, emulator):
    about = {"type": "file", "id": plan.id, "name": "plan.txt", "path_collection": {"entries": []}}
    link = {"url": f"{BOX}/preview/expiring_embed/x", "access_token": "TOKEN-OF-THE-LINK"}
    emulator.fault(EMBED_LINK, times=2, **in_json({**about, "expiring_embed_link": link}))
    page = browser.get(path(plan))
    assert page.headers["Content-Security-Policy"].endswith(f"; frame-src {BOX}")
    assert f'<iframe class="preview" src="{BOX}/' in page.text
    assert "TOKEN-OF-THE-LINK" not in page.text


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        5,
        "javascript:alert(1)",
        "//box.example/x",
        "https://box.example;script-src *",
        "https://box.example *.example/x",
        "https://box.example\r\nSet-Cookie: a=b",
        "https://user@box.example/x",
    ],
)
def test_what_is_no_address_gets_no_frame_and_into_no_header(browser, plan, emulator, url):
    about = {"type": "file", "id": plan.id, "name": "plan.txt", "path_collection": {"entries": []}}
    emulator.fault(EMBED_LINK, times=2, **in_json({**about, "expiring_embed_link": {"url": url}}))
    page = browser.get(path(plan))
    assert (page.status_code, "<iframe" in page.text) == (200, False)
    assert "frame-src" not in page.headers["Content-Security-Policy"]
    assert "Box gave no preview" in page.text
    emulator.fault(EMBED_LINK, **in_json({**about, "expiring_embed_link": {"url": url}}))
    assert browser.get(path(plan, "/preview")).location == path(plan)


def test_a_kind_that_box_does_not_preview_is_said_to_be_one(browser, emulator):
    file = emulator.add_item(NIL, "data.bin", content=b"\0")
    page = browser.get(path(file))
    assert (page.status_code, "no preview for this kind" in page.text, "<iframe" in page.text) == (200, True, False)
    assert browser.get(path(file, "/preview")).location == path(file)
    assert "no preview for this kind" in said(browser.get(path(file)))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 403, "body": ""}, "does not let you"),
        ({"status": 503, "body": "", "retry_after": 60}, "error of its own"),
        ({"status": 429, "body": "", "retry_after": 60}, "Too many requests"),
    ],
)
def test_a_preview_that_fails_leaves_the_rest_of_the_page(browser, plan, emulator, answer, words):
    emulator.fault(EMBED_LINK, **answer)
    assert browser.get(path(plan, "/preview")).location == path(plan)
    page = browser.get(path(plan))
    assert (page.status_code, words in said(page)) == (200, True)


def test_a_sign_in_that_ended_is_told_as_that(browser, plan, emulator):
    emulator.fault(EMBED_LINK, status=401, times=2)
    assert browser.get(path(plan, "/preview")).status_code == 401


def test_what_is_in_the_trash_is_said_to_be_there(browser, plan, emulator):
    emulator.tree.trash(plan)
    for end in ("", "/versions", "/comments", "/preview", "/download"):
        page = browser.get(path(plan, end), follow_redirects=True)
        assert (page.status_code, "<code>item_trashed</code>" in page.text) == (404, True), end


def test_a_file_that_may_only_be_looked_at_has_no_buttons_for_more(browser, plan, emulator):
    may = dict.fromkeys(("can_download", "can_rename", "can_share", "can_delete", "can_upload", "can_comment"), False)
    about = {"type": "file", "id": plan.id, "name": "plan.txt", "path_collection": {"entries": []}, "permissions": may}
    for end, forms in (("", 1), ("/versions", 1), ("/comments", 1)):  # signing out is a form, too
        emulator.fault(EMBED_LINK[:-1] + plan.id, times=1 if end else 2, **in_json(about))
        page = browser.get(path(plan, end)).text
        assert page.count("<form") == forms, end
        assert not re.search('/(download|rename|share|delete)"', page), end


# -------- Versions


def versions_of(plan, emulator):
    return emulator.versions.past(plan, 10, 0)[0]


def test_an_earlier_version_comes_back_to_the_top_once_however_often_that_is_sent(browser, plan, emulator):
    oldest = versions_of(plan, emulator)[-1]
    page = browser.get(path(plan, "/versions"))
    promote = path(plan, f"/versions/{oldest.id}/promote")
    sent = form(page)
    assert sent["current"] == str(plan.version)
    for words in ("is the newest one now", "Another version came to the top meanwhile, so nothing was done"):
        assert browser.post(promote, data=sent).location == path(plan, "/versions")
        assert words in said(browser.get(path(plan, "/versions")))
    assert "Version 4" in browser.get(path(plan, "/versions")).text
    assert emulator.items.find(plan.id).size == len(b"one")
    assert emulator.requests.count(f"POST /2.0/files/{plan.id}/versions/current") == 1


def test_promoting_brings_an_old_name_back_unless_it_is_taken(browser, plan, emulator):
    token = form(browser.get(path(plan, "/versions")))["csrf_token"]
    browser.post(f"/files/file:{plan.id}/rename", data={"csrf_token": token, "name": "new.txt"})
    emulator.add_item(NIL, "plan.txt")
    page = browser.get(path(plan, "/versions"))
    assert "called <bdi>plan.txt</bdi> then" in page.text
    browser.post(path(plan, f"/versions/{versions_of(plan, emulator)[0].id}/promote"), data=form(page))
    page = browser.get(path(plan, "/versions"))
    assert "There is a file or folder with this name already" in said(page)
    assert "Version 4" not in page.text


def test_a_version_is_deleted_after_a_question_and_comes_back(browser, plan, emulator):
    old = versions_of(plan, emulator)[0]
    question = browser.get(path(plan, f"/versions/{old.id}/delete"))
    assert f"Delete version {old.number}" in question.text
    assert versions_of(plan, emulator)[0].trashed_at is None
    sent = form(question)
    assert browser.post(path(plan, f"/versions/{old.id}/delete"), data=sent).location == path(plan, "/versions")
    page = browser.get(path(plan, "/versions"))
    assert "in the trash since" in page.text
    browser.post(path(plan, f"/versions/{old.id}/delete"), data=sent)  # a second click
    assert "not there any more" in said(browser.get(path(plan, "/versions")))
    browser.post(path(plan, f"/versions/{old.id}/restore"), data=form(page))
    assert "in the trash since" not in browser.get(path(plan, "/versions")).text


def test_a_version_is_not_deleted_when_the_file_was_changed_meanwhile(browser, plan, emulator):
    old = versions_of(plan, emulator)[0]
    sent = form(browser.get(path(plan, f"/versions/{old.id}/delete")))
    emulator.add_version(plan, b"four")
    browser.post(path(plan, f"/versions/{old.id}/delete"), data=sent)
    page = browser.get(path(plan, "/versions"))
    assert "was changed after this page was made" in said(page)
    assert "in the trash since" not in page.text


def test_box_out_of_order_is_told_above_the_list(browser, plan, emulator):
    old = versions_of(plan, emulator)[0]
    sent = form(browser.get(path(plan, f"/versions/{old.id}/delete")))
    emulator.fault("DELETE /2.0/files/*", status=503, retry_after=60, body="")
    assert browser.post(path(plan, f"/versions/{old.id}/delete"), data=sent).location == path(plan, "/versions")
    assert "error of its own" in said(browser.get(path(plan, "/versions")))
    emulator.fault("DELETE /2.0/files/*", status=401, times=2)
    assert browser.post(path(plan, f"/versions/{old.id}/delete"), data=sent).status_code == 401


@pytest.mark.parametrize("act", ["promote", "delete", "restore"])
def test_a_version_that_is_gone_by_now_is_said_to_be(browser, plan, act):
    sent = form(browser.get(path(plan, "/versions"))) | {"etag": ""}
    assert browser.post(path(plan, f"/versions/77/{act}"), data=sent).location == path(plan, "/versions")
    assert "That version is not there any more" in said(browser.get(path(plan, "/versions")))


def test_a_question_about_what_is_gone_leads_back_and_says_so(browser, plan):
    for kind, end in (("version", "/versions"), ("comment", "/comments")):
        assert browser.get(path(plan, f"{end}/77/delete")).location == path(plan, end)
        assert f"That {kind} is not there any more" in said(browser.get(path(plan, end)))
        gone = browser.get(path(plan, f"{end}/77/delete"), headers={"Accept": "application/json"})
        assert (gone.status_code, gone.json["error"]["code"]) == (404, "item_not_found")


def test_a_comment_is_there_even_where_box_tells_no_count_of_them(browser, plan, emulator):
    sent = form(browser.get(path(plan, "/comments"))) | {"message": "hello"}
    emulator.fault(f"GET /2.0/files/{plan.id}", **in_json({"id": plan.id, "comment_count": "many"}))
    assert browser.post(path(plan, "/comments"), data=sent).location == path(plan, "/comments")
    assert "hello" in browser.get(path(plan, "/comments")).text


def test_a_script_is_told_that_another_version_came_to_the_top(browser, plan):
    sent = form(browser.get(path(plan, "/versions"))) | {"current": "1"}
    answer = browser.post(path(plan, "/versions/77/promote"), data=sent, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["code"]) == (412, "item_changed")


def test_a_file_of_one_version_and_many_pages_of_them(browser, emulator):
    file = emulator.add_item(NIL, "many.txt", content=b"0")
    assert "There is no earlier version" in browser.get(path(file, "/versions")).text
    for number in range(42):
        file = emulator.add_version(file, b"%d" % number)
    first, second = (browser.get(path(file, f"/versions{query}")).text for query in ("", "?offset=40"))
    assert (first.count("Make it the newest"), second.count("Make it the newest")) == (40, 2)
    assert 'rel="next"' in first
    for odd in ("-1", "x", "99999999999999999999"):
        assert browser.get(path(file, f"/versions?offset={odd}")).status_code == 200


# -------- Comments


def test_a_comment_is_added_and_its_author_deletes_it_after_a_question(browser, plan, emulator):
    page = browser.get(path(plan, "/comments"))
    assert "Nobody has said anything" in page.text
    assert browser.post(path(plan, "/comments"), data=form(page) | {"message": "Looks\r\ngood."}).status_code == 302
    page = browser.get(path(plan, "/comments"))
    assert "Looks\ngood." in page.text
    delete = re.search(r'href="([^"]+/comments/\d+/delete)"', page.text)[1]
    question = browser.get(delete)
    assert "Looks\ngood." in question.text
    assert emulator.comments.count(plan) == 1
    assert browser.post(delete, data=form(question)).location == path(plan, "/comments")
    assert emulator.comments.count(plan) == 0
    browser.post(delete, data=form(question))
    assert "That comment is not there any more" in said(browser.get(path(plan, "/comments")))


@pytest.mark.parametrize("typed", ["", " \r\n ", "x" * 10_001])
def test_a_comment_that_cannot_be_is_said_to_be_one_and_stays_in_the_form(browser, plan, emulator, typed):
    page = browser.post(path(plan, "/comments"), data=form(browser.get(path(plan, "/comments"))) | {"message": typed})
    assert (page.status_code, 'role="alert"' in page.text) == (400, True)
    assert typed.strip() in page.text
    assert emulator.requests.count("POST /2.0/comments") == 0


def test_a_comment_that_is_sent_twice_is_there_once(browser, plan, emulator):
    sent = form(browser.get(path(plan, "/comments"))) | {"message": "Yes."}
    for _ in range(2):
        assert browser.post(path(plan, "/comments"), data=sent).location == path(plan, "/comments")
    page = browser.get(path(plan, "/comments"))
    assert emulator.comments.count(plan) == 1
    assert "was sent before, and is there once" in said(page)
    browser.post(path(plan, "/comments"), data=form(page) | {"message": "Yes."})  # meant, this time
    assert emulator.comments.count(plan) == 2


def test_a_comment_whose_answer_was_lost_is_not_added_again(browser, plan, emulator):
    sent = form(browser.get(path(plan, "/comments"))) | {"message": "Yes."}
    emulator.fault("POST /2.0/comments", drop="after")
    failed = browser.post(path(plan, "/comments"), data=sent)
    assert (failed.status_code, "Yes." in failed.text) == (502, True)
    assert browser.post(path(plan, "/comments"), data=form(failed) | {"message": "Yes."}).status_code == 302
    assert emulator.comments.count(plan) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 403, "body": ""}, "does not let you"),
        ({"status": 404, "body": ""}, "not there any more"),
        ({"status": 503, "body": "", "retry_after": 60}, "error of its own"),
    ],
)
def test_whatever_box_refuses_the_comment_stays_in_the_form(browser, plan, emulator, answer, words):
    sent = form(browser.get(path(plan, "/comments"))) | {"message": "A long thought"}
    emulator.fault("POST /2.0/comments", **answer)
    page = browser.post(path(plan, "/comments"), data=sent)
    assert page.status_code >= 400
    assert words in re.search(r'role="alert">([^<]+)', page.text)[1]
    assert "A long thought</textarea>" in page.text


def test_the_comments_of_others_have_no_button_and_many_have_pages(browser, plan, emulator):
    other = emulator.users.named("bo@example.com")
    for number in range(70):
        emulator.comments.add(plan, other.id, f"comment {number:03}")
    page = browser.get(path(plan, "/comments"))
    assert ("comment 049" in page.text, "comment 050" in page.text, "/delete" in page.text) == (True, False, False)
    added = browser.post(path(plan, "/comments"), data=form(page) | {"message": "mine"}).location
    page = browser.get(added).text
    assert ("comment 069" in page, "mine" in page, page.count("/delete")) == (True, True, 1)


def test_a_comment_of_somebody_else_is_not_deleted(browser, plan, emulator):
    comment = emulator.comments.add(plan, emulator.users.named("bo@example.com").id, "theirs")
    delete = path(plan, f"/comments/{comment.id}/delete")
    assert browser.post(delete, data=form(browser.get(delete))).location == path(plan, "/comments")
    assert "does not let you do this" in said(browser.get(path(plan, "/comments")))
    assert emulator.comments.count(plan) == 1


def test_forms_without_their_token_are_refused(browser, plan, emulator):
    for end in ("/comments", "/comments/1/delete", "/versions/1/promote", "/versions/1/delete", "/versions/1/restore"):
        page = browser.post(path(plan, end), data={"message": "forged", "current": str(plan.version)})
        assert (page.status_code, "form_expired" in page.text) == (400, True), end
    assert browser.post("/files/0/zip", data={"item": f"file:{plan.id}"}).status_code == 400
    assert emulator.comments.count(plan) == 0


# -------- Downloads


def test_a_download_leads_to_an_address_of_boxs_with_no_token_in_it(browser, plan, emulator):
    old = versions_of(plan, emulator)[-1]
    for end, content in (("/download", b"three"), (f"/versions/{old.id}/download", b"one")):
        answer = browser.get(path(plan, end))
        assert answer.status_code == 302
        assert answer.headers["Referrer-Policy"] == "same-origin"  # Box is not told where this page is
        assert "token" not in answer.location
        assert requests.get(answer.location, timeout=10).content == content


def test_a_file_that_box_has_not_ready_yet_is_said_to_be(browser, plan, emulator):
    for end, back in (("/download", ""), ("/versions/77/download", "/versions")):
        emulator.fault("GET /2.0/files/*/content", status=202, retry_after=60, body="")
        assert browser.get(path(plan, end)).location == path(plan, back)
        assert "still getting this file ready" in said(browser.get(path(plan, back)))


@pytest.mark.parametrize(
    ("status", "code", "shown"),
    [
        (403, "access_denied_insufficient_permissions", "item_forbidden"),
        (403, "access_denied_item_locked", "item_locked"),
        (404, "not_found", "item_not_found"),
    ],
)
def test_what_box_does_not_hand_out_has_its_page(browser, plan, emulator, status, code, shown):
    emulator.fault("GET /2.0/files/*/content", **in_json({"code": code}, status))
    page = browser.get(path(plan, "/download"))
    assert (page.status_code, f"<code>{shown}</code>" in page.text) == (status, True)


def zipped(browser, items, folder="0"):
    token = form(browser.get("/files/recent"))["csrf_token"]
    return browser.post(f"/files/{folder}/zip", data={"csrf_token": token, "item": items})


def begins(page):
    """Return the address at which a page's download begins."""
    return re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)[1].replace("&amp;", "&")


def test_what_is_selected_comes_as_one_zip_and_a_web_link_is_said_not_to_be_in_it(browser, plan, emulator):
    folder = emulator.add_item(NIL, "Notes", "folder")
    emulator.add_item(NIL, "a.txt", parent=folder, content=b"a")
    link = emulator.add_item(NIL, "Box", "web_link", url="https://www.box.com/")
    page = zipped(browser, [f"file:{plan.id}", f"folder:{folder.id}", f"web_link:{link.id}"])
    assert page.status_code == 200  # no redirect: browsers let no form lead to another host here
    assert "One web link is not in it" in page.text
    archive = requests.get(begins(page), timeout=10)
    assert "All%20Files.zip" in archive.headers["Content-Disposition"]
    assert sorted(ZipFile(BytesIO(archive.content)).namelist()) == ["Notes/", "Notes/a.txt", "plan.txt"]


def test_two_of_one_name_are_said_to_have_others_in_the_zip(browser, plan, emulator):
    folder = emulator.add_item(NIL, "Notes", "folder")
    other = emulator.add_item(NIL, "plan.txt", parent=folder)
    page = zipped(browser, [f"file:{plan.id}", f"file:{other.id}"])
    assert page.text.count("<bdi>plan.txt</bdi> is called") == 2


def test_a_single_file_comes_as_it_is(browser, plan):
    page = zipped(browser, f"file:{plan.id}")
    assert begins(page) == path(plan, "/download")


def test_a_folder_has_a_download_of_its_own_which_the_root_cannot_have(browser, emulator):
    folder = emulator.add_item(NIL, "Notes", "folder")
    emulator.add_item(NIL, "a.txt", parent=folder, content=b"a")
    assert f'href="/files/{folder.id}/download"' in browser.get(f"/files/{folder.id}").text
    archive = requests.get(browser.get(f"/files/{folder.id}/download").location, timeout=10)
    assert ZipFile(BytesIO(archive.content)).namelist() == ["Notes/", "Notes/a.txt"]
    assert "/files/0/download" not in browser.get("/files/").text
    assert browser.get("/files/0/download").status_code == 400


def test_nothing_that_can_be_downloaded_is_said_to_be_that(browser, emulator):
    link = emulator.add_item(NIL, "Box", "web_link", url="https://www.box.com/")
    for items, words in (([], "Select what to download"), ([f"web_link:{link.id}"], "Web links cannot be downloaded")):
        assert zipped(browser, items).location == "/files/"
        assert words in said(browser.get("/files/"))


def test_a_zip_that_box_does_not_make_has_its_page(browser, plan, emulator):
    others = emulator.add_item("bo@example.com", "private.txt")
    assert zipped(browser, [f"file:{plan.id}", f"file:{others.id}"]).status_code == 403
    assert zipped(browser, [f"file:{plan.id}", "file:77"]).status_code == 400
    assert zipped(browser, "folder:0").status_code == 400
    assert zipped(browser, f"file:{plan.id}", folder="../1").status_code == 404
    code = "zip_download_file_count_exceeded_limit"
    emulator.fault("POST /2.0/zip_downloads", **in_json({"code": code}, 400))
    page = zipped(browser, [f"file:{plan.id}", f"file:{others.id}"])
    assert (page.status_code, "<code>zip_too_large</code>" in page.text) == (400, True)


# -------- What others wrote is text

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}",
    "\u202egpj.exe",
    "a%0d%0aX-B: c",
    "../../etc/passwd",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_comments_are_text_whatever_is_in_them(browser, emulator, name):
    file = emulator.add_item(NIL, name.replace("/", "\u2044"), content=b"one", description=name)
    file = emulator.add_version(file, b"two")
    comment = emulator.comments.add(file, emulator.users.named(NIL).id, name)
    old = versions_of(file, emulator)[0]
    ends = ("", "/versions", "/comments", f"/versions/{old.id}/delete", f"/comments/{comment.id}/delete")
    for end in ends:
        page = browser.get(path(file, end))
        assert page.status_code == 200
        assert not re.search("<img|<script>|>49<", page.text), end
        assert "X-B" not in page.headers
    zipped_page = zipped(browser, [f"file:{file.id}", f"file:{emulator.add_item(NIL, 'b.txt').id}"])
    assert "All%20Files.zip" in requests.get(begins(zipped_page), timeout=10).headers["Content-Disposition"]
