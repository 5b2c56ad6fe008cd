"""What a law office keeps in Box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .documents import csv, letter, pdf, spreadsheet
from .planting import DAY, HOUR, File, Folder, plant

if TYPE_CHECKING:
    from ..model import Model
    from ..users import User

_CLAIM = """To the district court.

The claimant, who is made up, asks the court to order the defendant, who
is made up as well, to pay {amount} with interest.

1. The parties signed a contract of sale on the first of March.
2. The claimant delivered. The defendant did not pay.
3. A letter of the second of May was not answered.

Evidence: the contract; the delivery note; the letter.
"""
_HOURS: list[list[str | float]] = [
    ["Date", "Who", "What", "Hours"],
    ["2026-05-04", "Bo Sample", "Letter to the defendant", 0.5],
    ["2026-05-18", "Bo Sample", "Statement of claim", 3.25],
    ["2026-06-02", "Bo Sample", "Hearing", 2],
]
_DEADLINES: list[list[str | float]] = [
    ["date", "matter", "what"],
    ["2026-12-04", "2026-017", "reply to the court"],
    ["2026-12-11", "2026-021", "end of the notice period"],
    ["2027-01-08", "2026-017", "hearing"],
]
_LEASE = """Lease of a flat that does not exist.

1. The rent is 900 a month.
2. The notice period is three months.
3. Pets are welcome.
"""


def fill(model: Model, bo: User) -> None:
    plant(model, bo, _items())


def _items() -> dict[str, Folder | File]:
    return {
        "Matters": Folder(
            {
                "2026-017 Sale of a boat": Folder(_sale(), age=6 * HOUR),
                "2026-021 Lease": Folder(_lease(), age=9 * DAY),
            },
            age=6 * HOUR,
        ),
        "Letters": Folder(
            {
                "Letter to the court.docx": File(letter(_mail("the district court")), 8 * DAY),
                "Letter to the insurer.docx": File(letter(_mail("the insurer")), 15 * DAY),
            },
            age=8 * DAY,
        ),
        "Forms": Folder({"Power of attorney.pdf": File(pdf("Power of attorney", _POWER), 300 * DAY)}, age=300 * DAY),
        "Deadlines.csv": File(csv(_DEADLINES), 6 * HOUR, recent=True),
        "Office rules.md": File(
            "# Office rules\n\nAnswer every letter within a week. File it the same day.\n", 90 * DAY
        ),
    }


_POWER = """I, who do not exist, let Bo Sample, lawyer, act for me
in all matters that are about made-up things.


Place and date                           Signature"""


def _sale() -> dict[str, Folder | File]:
    claims = [pdf("Statement of claim", _CLAIM.format(amount=amount)) for amount in (8000, 8500, 9200)]
    return {
        "Statement of claim.pdf": File(
            claims[2],
            1 * DAY,
            "As it went to the court",
            before=[(claims[0], 6 * DAY), (claims[1], 3 * DAY)],
            comments=[
                ("The amount lacks the delivery.", 5 * DAY),
                ("Added. Ready to be sent?", 3 * DAY),
                ("Yes.", DAY),
            ],
            recent=True,
        ),
        "Contract of sale.pdf": File(pdf("Contract of sale", "A boat is sold for 8000.\n\nBoth sides sign."), 20 * DAY),
        "Hours.xlsx": File(spreadsheet(_HOURS), 2 * DAY, before=[(spreadsheet(_HOURS[:-1]), 12 * DAY)], recent=True),
        "Evidence": Folder(
            {"Delivery note.pdf": File(pdf("Delivery note", "One boat, blue."), 20 * DAY)}, age=20 * DAY
        ),
    }


def _lease() -> dict[str, Folder | File]:
    return {
        "Lease.pdf": File(pdf("Lease", _LEASE), 9 * DAY),
        "Letter to the landlord.docx": File(letter(_mail("the landlord")), 9 * DAY),
        "Notes.txt": File("Rang the landlord: no answer. Wrote a letter instead.\n", 10 * DAY),
    }


def _mail(whom: str) -> str:
    return f"To {whom}\n\nDear Sir or Madam,\n\nplease find the papers enclosed.\n\nBo Sample\nLawyer, made up"
