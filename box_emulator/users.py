"""The people who own the files."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

from .clock import Clock
from .database import Database
from .errors import refused

GIGABYTE = 1024**3
SERVICE_ACCOUNT = "AutomationUser_"  # how the logins of those begin (Box: guides, user types)
_FIRST_ID = 10_000_001


@dataclass(frozen=True)
class User:
    """A made-up user. Sizes are in bytes; ``space_amount`` is None where Box shall not say."""

    id: str
    name: str
    login: str
    job_title: str
    language: str
    timezone: str
    space_amount: int | None
    space_used: int
    max_upload_size: int
    avatar: bytes | None = field(repr=False)
    role: str
    status: str
    phone: str
    address: str
    notification_email: str | None
    created_at: float
    modified_at: float

    @property
    def manages(self) -> bool:
        """Whether this user may see, make, change and act for others: an admin, or an app's service account."""
        return self.role == "admin" or self.login.startswith(SERVICE_ACCOUNT)


class Users(Sequence[User]):
    """All users, in the order in which they were added."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        name: str,
        login: str = "",
        *,
        job_title: str = "",
        space_amount: int | None = 10 * GIGABYTE,
        space_used: int = 0,
        avatar: bytes | None = None,
        age: float = 0,
        role: str = "user",
        status: str = "active",
        language: str = "en",
        timezone: str = "America/Los_Angeles",
        phone: str = "",
        address: str = "",
    ) -> User:
        """Add a user, ``age`` seconds ago, with a made-up login if none is given; one that is taken is Box's 409.

        ``space_used`` is what old versions take; files come on top.
        """
        now = self._clock.now() - age
        with self._database.transaction() as transaction:
            last = transaction.execute("SELECT MAX(id) FROM users").fetchone()[0]
            user_id = last + 1 if last else _FIRST_ID
            login = login or f"AppUser_{user_id}@boxdevedition.com"
            self._check_free(login)
            space = (space_amount, space_used, 5 * GIGABYTE)
            person = (role, status, phone, address, None)
            values = (user_id, name, login, job_title, language, timezone, *space, avatar, *person, now, now)
            transaction.execute(f"INSERT INTO users VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
        return self.named(login)

    def change(self, user: User, **changes: object) -> User:
        """Change fields of a user."""
        with self._database.transaction() as transaction:
            if changes.get("login", user.login) != user.login:
                self._check_free(str(changes["login"]), user.id)
            columns = changes | {"modified_at": self._clock.now()}
            assignments = ", ".join(f"{name} = ?" for name in columns)
            transaction.execute(f"UPDATE users SET {assignments} WHERE id = ?", (*columns.values(), user.id))  # noqa: S608
            row = self._database.row("SELECT * FROM users WHERE id = ?", user.id)
        return _user(row) if row else user

    def delete(self, user: User) -> None:
        """Delete a user without items, with all tokens."""
        with self._database.transaction() as transaction:
            for table in ("pairs", "codes", "sessions", "archives", "recents"):
                transaction.execute(f"DELETE FROM {table} WHERE user = ?", (user.id,))  # noqa: S608
            transaction.execute("DELETE FROM users WHERE id = ?", (user.id,))

    def get(self, user_id: str) -> User | None:
        row = self._database.row("SELECT * FROM users WHERE id = ?", user_id)
        return _user(row) if row else None

    def named(self, login: str) -> User:
        """Return the user with this login, or raise `KeyError`."""
        row = self._database.row("SELECT * FROM users WHERE login = ?", login)
        if row is None:
            raise KeyError(login)
        return _user(row)

    def _check_free(self, login: str, but: str = "") -> None:
        row = self._database.row("SELECT id FROM users WHERE login = ?", login)
        if row and str(row["id"]) != but:
            raise refused("user_login_already_used")

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> User: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[User]: ...
    def __getitem__(self, index: int | slice) -> User | Sequence[User]:
        return self._all()[index]

    def _all(self) -> list[User]:
        return [_user(row) for row in self._database.rows("SELECT * FROM users ORDER BY id")]


def _user(row: sqlite3.Row) -> User:
    return User(str(row["id"]), *row[1:])
