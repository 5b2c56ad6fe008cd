"""Who is signed in, as pages and hooks see them."""

from __future__ import annotations

from dataclasses import dataclass

from ..stores.record import TokenRecord


@dataclass(frozen=True)
class User:
    """Box's user id, and name and login as they were at sign-in."""

    id: str
    name: str
    login: str

    @classmethod
    def of(cls, record: TokenRecord) -> User:
        return cls(record.user_id, record.name, record.login)
