"""The first users and files of a new emulator. All are made up, and made by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..users import GIGABYTE
from . import law_office, photographer
from .planting import DAY

if TYPE_CHECKING:
    from ..model import Model


def seed(model: Model) -> None:
    """Add a photographer, a law office, and an account that is new and empty."""
    ada = model.add_user(
        "Ada Example",
        "ada@example.com",
        job_title="Photographer",
        space_used=int(3.4 * GIGABYTE),
        avatar=True,
        age=900 * DAY,
        role="admin",
    )
    bo = model.add_user(
        "Bo Sample",
        "bo@example.com",
        job_title="Lawyer",
        space_amount=250 * GIGABYTE,
        space_used=9 * GIGABYTE,
        age=400 * DAY,
    )
    model.add_user("Nil Newcomer", "nil@example.com", space_amount=None)
    photographer.fill(model, ada)
    law_office.fill(model, bo)
