"""What the tests of the file pages share."""

from tests.files.person import page  # noqa: F401
