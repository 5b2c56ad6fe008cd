"""The SQLite database that holds everything a Box would remember."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .names import name_key
from .schema import SCHEMA, VERSION

_BUSY = 30.0  # seconds to wait for another process


class WrongDatabase(Exception):
    """The file is not one that this emulator can read. It is left as it was."""


class Database:
    """One connection per process behind a lock; any number of threads and processes may share the file.

    ``path`` is a file, made readable by its owner only, or ``:memory:`` for one that dies with the process.
    """

    def __init__(self, path: str | Path = ":memory:") -> None:
        self.path = str(path)
        self._lock = threading.RLock()
        self._inherited: sqlite3.Connection | None = None
        if self.path != ":memory:":
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._connection: sqlite3.Connection | None = None
        self._prepare()
        if hasattr(os, "register_at_fork"):
            _survive_forks(weakref.ref(self))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the database for writing: all of it happens or none, and no other thread or process comes between.

        A transaction within a transaction joins it.
        """
        with self._lock:
            connection = self._here()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Read all rows of a query."""
        with self._lock:
            rows: list[sqlite3.Row] = self._here().execute(sql, values).fetchall()
            return rows

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Read the first row of a query, if there is one."""
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def close(self) -> None:
        with self._lock:
            if self._connection:
                self._connection.close()

    def _here(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA synchronous = NORMAL")  # enough with WAL
            connection.create_function("fold", 1, _fold, deterministic=True)  # for text that shall match in any case
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        try:
            if self._is_new():
                self._use_wal()
                with self.transaction() as transaction:
                    if self._is_new():  # and no other process was faster
                        for statement in SCHEMA:
                            transaction.execute(statement)
                        transaction.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.OperationalError:
            self.close()
            raise
        except sqlite3.DatabaseError:
            self.close()
            raise WrongDatabase(f"{self.path} is not a database of the Box emulator. Choose another file.") from None
        except WrongDatabase:
            self.close()
            raise

    def _is_new(self) -> bool:
        """Tell whether there is nothing in the file yet. Raise `WrongDatabase` for what this emulator cannot read."""
        tables = self._here().execute("SELECT 1 FROM sqlite_master").fetchone()  # first: another process may be at it
        version = self._here().execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION) or (tables and not version):
            raise WrongDatabase(
                f"{self.path} holds data of version {version}, and this emulator reads version {VERSION}. "
                "Move the file away to start afresh, or choose another."
            )
        return not version

    def _use_wal(self) -> None:
        """Let readers and a writer work at once, now and later: the file remembers it.

        Two processes that switch at the same moment need a second try.
        """
        deadline = time.monotonic() + _BUSY
        while True:
            try:
                self._here().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def _fold(text: str | None) -> str | None:
    return None if text is None else name_key(text)


def _survive_forks(this: weakref.ref[Database]) -> None:
    """Let no fork happen within a transaction, and start over in the child.

    SQLite forbids using, or even closing, a connection made before the fork, and a child would inherit its locks.
    """

    def before() -> None:
        if database := this():
            database._lock.acquire()

    def in_parent() -> None:
        if database := this():
            database._lock.release()

    def in_child() -> None:
        if database := this():
            database._lock = threading.RLock()
            if database.path != ":memory:":
                database._inherited, database._connection = database._connection, None

    os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
