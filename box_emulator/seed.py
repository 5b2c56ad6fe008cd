"""The first users and files of a new emulator. All are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pictures import picture
from .users import GIGABYTE

if TYPE_CHECKING:
    from .items import Item
    from .model import Model
    from .users import User

HOUR, DAY = 3600.0, 86400.0

_WELCOME = """# Welcome

You are looking at made-up files in the Box emulator. They behave like files in Box:
each has an id, a size, a date and a history, and your code reads them through the same API.
"""
_MINUTES = "Present: everyone. Decided: we ship on Thursday. Next: cake.\n"
_BUDGET = "month,item,amount\n" + "".join(f"{month:02},paper clips,{month * 17}\n" for month in range(1, 13))


def seed(model: Model) -> None:
    """Add three users: one with a bit of everything, one with other files, one with nothing at all."""
    ada = model.add_user(
        "Ada Example",
        "ada@example.com",
        job_title="Chief Sample Officer",
        space_used=int(3.4 * GIGABYTE),
        avatar=True,
        age=900 * DAY,
        role="admin",
    )
    bo = model.add_user(
        "Bo Sample",
        "bo@example.com",
        job_title="Gardener",
        space_amount=250 * GIGABYTE,
        space_used=9 * GIGABYTE,
        age=400 * DAY,
    )
    model.add_user("Nil Newcomer", "nil@example.com", space_amount=None)
    _fill_for_ada(model, ada)
    _fill_for_bo(model, bo)


def _fill_for_ada(model: Model, ada: User) -> None:
    projects = _folder(model, ada, "Projects", age=2 * HOUR)
    apollo = _folder(model, ada, "Paper rocket", parent=projects, age=2 * HOUR)
    _text(model, ada, "Checklist.txt", "Fold. Fold again. Throw.\n", parent=apollo, age=2 * HOUR)
    _text(model, ada, "Meeting notes.md", _MINUTES * 40, parent=projects, age=3 * DAY)
    photos = _folder(model, ada, "Holiday photos 🏖️", age=40 * DAY)
    for number in range(1, 13):
        name = f"beach {number:02}.png"
        model.add_item(ada, name, parent=photos, content=picture(name, 200 + 25 * number), age=(40 + number) * DAY)
    _folder(model, ada, "Nothing in here", age=200 * DAY)
    _text(model, ada, "Welcome.md", _WELCOME, age=5 * DAY)
    _text(model, ada, "Budget.csv", _BUDGET * 12, age=11 * DAY)
    _text(model, ada, "settings.json", '{"colour": "blue", "volume": 11}\n', age=75 * DAY)
    model.add_item(ada, "Logo sketch.png", content=picture("logo", 640), age=26 * HOUR)
    for name in (
        'Grüße, ‘quotes’ and "double quotes" & more.txt',
        "<b>bold<b> <img src=x onerror=alert(1)>.html",
        "🎉 party 🎈 plan 👩‍👩‍👧.txt",
        "שלום עולם \u202etxt.exe\u202c.txt",
        "見積書 2026.txt",
        "A very long name " * 14 + "that ends here.md",
    ):
        _text(model, ada, name, "A name to test pages with.\n", age=90 * DAY)
    model.add_item(ada, "Box developer documentation", "web_link", url="https://developer.box.com/", age=12 * DAY)


def _fill_for_bo(model: Model, bo: User) -> None:
    garden = _folder(model, bo, "Garden", age=6 * HOUR)
    _text(model, bo, "Seeds.csv", "plant,packets\ntomato,3\nchard,1\n", parent=garden, age=6 * HOUR)
    _text(model, bo, "Recipe – lemon cake.txt", "Lemons, flour, sugar, patience.\n" * 60, age=9 * DAY)
    model.add_item(bo, "Tomato.png", content=picture("tomato", 320), age=20 * DAY)


def _folder(model: Model, owner: User, name: str, *, parent: Item | str = "0", age: float) -> Item:
    return model.add_item(owner, name, "folder", parent=parent, age=age)


def _text(model: Model, owner: User, name: str, text: str, *, parent: Item | str = "0", age: float) -> Item:
    return model.add_item(owner, name, parent=parent, content=text.encode(), age=age)
