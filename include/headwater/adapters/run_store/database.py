"""What every part of the run store shares: the engine, transactions, and inserts that may be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from headwater.adapters.run_store.engine import open_engine
from headwater.domain.errors import RunStoreError


class Database:
    """Opened on first use; one instance may be used by several threads."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _engine(self) -> Engine:
        return open_engine(self._url)

    def close(self) -> None:
        """Close the connections."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction.

        :raises RunStoreError: when the database did not answer or refused; every call may be repeated.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            cause = str(error.orig).strip().splitlines() or [""]
            raise RunStoreError(
                "the run store's database failed", got=f"{type(error.orig).__name__}: {cause[0][:300]}",
                remedy="check that the database can be reached and is migrated (headwater doctor); then run it again",
            ) from error  # fmt: skip


def insert_into(
    connection: Connection, table: Table, values: Mapping[str, object]
) -> postgresql.Insert | sqlite.Insert:
    """An insert whose conflict the caller decides; PostgreSQL and SQLite spell it alike."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(table).values(**values)


def put(connection: Connection, table: Table, key: Sequence[str], values: Mapping[str, object]) -> None:
    """Insert, or overwrite the row of that key."""
    statement = insert_into(connection, table, values)
    changed = {name: value for name, value in values.items() if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def put_once(connection: Connection, table: Table, key: Sequence[str], values: Mapping[str, object]) -> None:
    """Insert unless the key is there; the first writer stays."""
    connection.execute(insert_into(connection, table, values).on_conflict_do_nothing(index_elements=list(key)))
