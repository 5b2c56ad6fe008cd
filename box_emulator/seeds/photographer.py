"""What a photographer keeps in Box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .documents import csv, pdf, spreadsheet
from .photographs import landscape, sunset
from .planting import DAY, HOUR, File, Folder, plant

if TYPE_CHECKING:
    from ..model import Model
    from ..users import User

_WELCOME = """# Welcome

You are looking at made-up files in the Box emulator. They behave like files in Box:
each has an id, a size, a date and a history, and your code reads them through the same API.

Ada is a photographer who does not exist. Sign in as Bo for a law office, or as Nil for an account that is new.
"""
_NOTES = """# Meeting notes

- Calendar: twelve pictures, one for each month, all from the coast.
- Wedding: the couple choose forty pictures; the list is in the folder.
- Prices go up in January. The new list is ready.
"""
_PRICES: list[list[str | float]] = [
    ["Service", "Unit", "Price"],
    ["Portrait session", "hour", 120],
    ["Wedding, whole day", "day", 1900],
    ["Product picture", "piece", 45],
    ["Print, 30 x 40 cm", "piece", 35],
    ["Licence, one year", "picture", 180],
]
_CHOSEN: list[list[str | float]] = [["picture", "chosen"]]
_CHOSEN += [[f"wedding {number:02}.png", "yes" if number % 3 else "no"] for number in range(1, 13)]


def fill(model: Model, ada: User) -> None:
    plant(model, ada, _items())
    model.add_item(ada, "Box developer documentation", "web_link", url="https://developer.box.com/", age=12 * DAY)


def _items() -> dict[str, Folder | File]:
    return {
        "Projects": Folder(
            {
                "Coast calendar": Folder(_pictures("coast", 6, 20 * DAY), age=20 * DAY),
                "Wedding in June": Folder(
                    {
                        "Selection.csv": File(csv(_CHOSEN), 4 * DAY, recent=True),
                        "evening.jpg": File(sunset("evening"), 9 * DAY, "The last light of the day"),
                    },
                    age=4 * DAY,
                ),
                "Meeting notes.md": File(_NOTES, 3 * DAY),
            },
            age=2 * HOUR,
        ),
        "Portfolio": Folder(
            _pictures("hills", 3, 60 * DAY)
            | {"sunset.jpg": File(sunset("portfolio"), 50 * DAY, comments=[("The one for the cover?", 40 * DAY)])},
            age=50 * DAY,
        ),
        "Contracts": Folder(
            {
                "Coast calendar.pdf": _contract("the pictures for a calendar", 1400, 30 * DAY),
                "Wedding in June.pdf": _contract("the pictures of a wedding", 1900, 45 * DAY),
                "Model release.pdf": _contract("pictures of a person", 0, 200 * DAY),
            },
            age=30 * DAY,
        ),
        "To be sorted": Folder(age=100 * DAY),
        "Welcome.md": File(_WELCOME, 5 * DAY),
        "Price list.xlsx": File(spreadsheet(_PRICES), 11 * DAY, recent=True),
        "Price list.csv": File(csv(_PRICES), 11 * DAY),
        "Harbour at dawn.jpg": File(
            sunset("harbour"),
            26 * HOUR,
            "Taken with a made-up camera",
            before=[(sunset("harbour", 144, 96), 2 * DAY)],
            recent=True,
        ),
    }


def _pictures(name: str, count: int, age: float) -> dict[str, Folder | File]:
    numbered = (f"{name} {number:02}.png" for number in range(1, count + 1))
    return {each: File(landscape(each), age + number * HOUR) for number, each in enumerate(numbered)}


def _contract(about: str, fee: int, age: float) -> File:
    text = f"""This contract is about {about}.

1. Ada Example, photographer, takes the pictures. Both sides are made up.
2. The fee is {fee} and is due within fourteen days.
3. The pictures may be shown for one year, with the photographer's name.
4. What is not said here is as the law says.


Ada Example                              The client"""
    return File(pdf("Contract", text), age)
