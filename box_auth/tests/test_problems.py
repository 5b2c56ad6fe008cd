"""One catalogue of failures: complete, used, and told in the documents in the same words."""

import re

import pytest

from box_auth.cli.document import document
from box_auth.errors import BoxAuthError
from box_auth.problems import problems, refusals

from .journey import ROOT, needs
from .terminal import run

ENGINE = "".join(
    path.read_text("utf-8")
    for path in sorted((ROOT / "box_auth").rglob("*.py"))
    if not path.is_relative_to(ROOT / "box_auth" / "tests")
)
ONLY_AT_BOX = {"redirect_uri_mismatch", "redirect_uri_missing"}

# Each OAuth error that Box is known to answer with, in Box's words. What Box says has a code of ours, and the reverse.
BOX_SAYS = {
    "invalid_grant: Auth code doesn't exist or is invalid for the client": "code_refused",
    "invalid_grant: The authorization code has expired": "code_refused",
    "invalid_grant: Invalid refresh token": "token_ended",
    "invalid_grant: Refresh token has expired": "token_ended",
    "invalid_client: The client credentials are invalid": "client_refused",
    "invalid_request: The grant type is unauthorized for this client_id.": "wrong_app_type",
    "invalid_request: Invalid grant_type parameter or parameter missing.": "wrong_box_host",
    "redirect_uri_mismatch": "redirect_uri_mismatch",
    "redirect_uri_missing": "redirect_uri_missing",
    "access_denied": "access_denied",
    "server_error: 107": "app_blocked",
}


def test_the_document_is_the_catalogue():
    needs("docs/troubleshooting.md")
    written = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    assert written == document(), "run: python -m box_auth.cli.document > docs/troubleshooting.md"
    assert re.findall(r"^### (\w+)$", written, re.MULTILINE) == list(problems())


def test_the_command_in_the_catalogue_writes_the_document():
    assert run(ROOT, "-m", "box_auth.cli.document").stdout == document()


@pytest.mark.parametrize("problem", problems().values(), ids=problems())
def test_every_problem_says_what_happened_and_what_to_do(problem):
    for text in (problem.title, problem.happened, problem.todo):
        assert text.strip() == text
        assert text
    assert problem.happened.endswith(".")
    assert 400 <= problem.status < 600
    used = problem.refused or problem.code in ONLY_AT_BOX | {"settings"} or f'"{problem.code}"' in ENGINE
    assert used, "nobody uses it"


def test_every_code_that_is_raised_is_in_the_catalogue():
    raised = re.findall(r'(?:Error|Required|Failed|Unavailable|Unsaved)\("(\w+)"', ENGINE)
    found = re.findall(r'bad\(\s*"[^"]+",\s*"(\w+)"', ENGINE)
    assert len(raised) > 30
    assert len(found) > 10
    assert set(raised + found) <= set(problems())


def test_boxs_own_words_lead_to_the_problem():
    assert {words: code for code, problem in problems().items() for words in problem.box} == BOX_SAYS
    for words in BOX_SAYS:
        assert f"`{words}`" in document()


def test_each_of_boxs_refusals_has_one_problem_that_the_document_names():
    signs = [sign for problem in problems().values() for sign in problem.refused]
    assert len(signs) == len(set(signs)) == len(refusals()) > 10
    for sign in signs:
        assert f"`{sign}`" in document()


def test_an_error_tells_a_person_everything_in_one_line():
    said = str(BoxAuthError("box_refused", "Box answered 404."))
    assert said == (
        "Box refused the request. Box answered 404. Check that the item still exists and that your Box account may use "
        "it, then try again. [box_refused]"
    )
