"""What a Box holds: apps, users, files and all that hangs on them, kept in one database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .apps import App, Apps
from .archives import Archives
from .clock import Clock
from .codes import Codes
from .comments import Comments
from .contents import Contents
from .database import Database
from .errors import ApiError
from .items import ROOT, Item, Items
from .links import Links
from .pictures import picture
from .recents import Recents
from .tokens import Tokens
from .tree import Tree
from .upload_sessions import UploadSessions
from .users import GIGABYTE, User, Users
from .versions import Versions


class Model:
    """The parts, each over the same database, and how to add apps, users and items by hand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock(self.database)
        self.apps = Apps(self.database)
        self.users = Users(self.database, self.clock)
        self.contents = Contents(self.database)
        self.items = Items(self.database, self.contents)
        self.versions = Versions(self.database, self.clock, self.items, self.contents)
        self.tree = Tree(self.database, self.clock, self.items, self.contents, self.versions)
        self.links = Links(self.database, self.clock, self.items)
        self.comments = Comments(self.database, self.clock)
        self.recents = Recents(self.database, self.clock)
        self.sessions = UploadSessions(self.database, self.clock, self.contents)
        self.archives = Archives(self.database, self.clock, self.items)
        self.codes = Codes(self.database, self.clock)
        self.tokens = Tokens(self.database, self.clock)

    def add_app(self, name: str, redirect_uris: Iterable[str] = (), origins: Iterable[str] = ()) -> App:
        """Register another app; `App` tells what the parts mean."""
        return self.apps.add(name, redirect_uris, origins)

    def add_user(
        self,
        name: str,
        login: str,
        *,
        job_title: str = "",
        space_amount: int | None = 10 * GIGABYTE,
        space_used: int = 0,
        avatar: bytes | bool = False,
        age: float = 0,
        role: Literal["admin", "coadmin", "user"] = "user",
    ) -> User:
        """Add a user with an empty root folder. ``avatar`` is a picture's bytes, or True to have one drawn.

        ``space_amount`` None makes an account for which Box tells no space figures.
        """
        drawn = picture(login) if avatar is True else avatar or None
        return self.users.add(
            name,
            login,
            job_title=job_title,
            space_amount=space_amount,
            space_used=space_used,
            avatar=drawn,
            age=age,
            role=role,
        )

    def add_item(
        self,
        owner: User | str,
        name: str,
        type: Literal["file", "folder", "web_link"] = "file",
        *,
        parent: Item | str = ROOT,
        content: bytes = b"",
        url: str | None = None,
        description: str = "",
        age: float = 0,
    ) -> Item:
        """Add a file, a folder or a web link for ``owner``, a user or a login. ``age`` is in seconds.

        What Box would not take, such as a name that is taken, raises `ValueError`.
        """
        user = owner if isinstance(owner, User) else self.users.named(owner)
        folder = parent.id if isinstance(parent, Item) else parent
        options: dict[str, Any] = {"parent": folder, "url": url, "description": description, "age": age}
        try:
            if type != "file":
                return self.tree.add(user.id, name, type, **options)
            with self.contents.draft() as draft:
                draft.write(content)
                return self.tree.add(user.id, name, draft=draft, **options)
        except ApiError as error:
            raise ValueError(f"{error}: {name!r} in folder {folder}") from None

    def add_version(self, file: Item, content: bytes, *, age: float = 0) -> Item:
        """Give a file new content, ``age`` seconds ago, and return it as it is now."""
        at = self.clock.now() - age
        with self.contents.draft() as draft, self.database.transaction() as transaction:
            draft.write(content)
            self.versions.add(file, self.contents.keep(draft), draft.size, at)
            statement = "UPDATE items SET etag = etag + 1, modified_at = ?, content_modified_at = ? WHERE id = ?"
            transaction.execute(statement, (at, at, file.id))
        changed = self.items.find(file.id)
        assert changed is not None  # noqa: S101 - it was there a moment ago
        return changed

    def close(self) -> None:
        self.database.close()
        self.contents.close()
