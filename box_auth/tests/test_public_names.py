"""The public names are those that the engine's README tells of, and no others."""

import re

import pytest

import box_auth
import box_auth.flask
import box_auth.script

from .journey import ROOT

README = (ROOT / "box_auth" / "README.md").read_text("utf-8")


def test_the_table_has_every_public_name_of_the_engine_and_the_reverse():
    documented = re.findall(r"^\| `(\w+)` \| ", README.partition("## How to read it")[0], re.MULTILINE)
    assert sorted(documented) == sorted(box_auth.__all__)


@pytest.mark.parametrize("package", [box_auth.flask, box_auth.script])
def test_the_doors_are_documented_too(package):
    sentence = re.search(rf"From `{re.escape(package.__name__)}`: (.*?)\.", README, re.DOTALL)[1]
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(package.__all__)


@pytest.mark.parametrize("package", [box_auth, box_auth.flask, box_auth.script])
def test_every_public_name_is_there_and_explained(package):
    for name in package.__all__:
        value = getattr(package, name)
        assert value.__doc__ or isinstance(value, float), name
