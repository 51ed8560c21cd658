"""The rows of a subject as relations of PostgreSQL and SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from tests.integration.sources.sources_under_test import Source, sql_table
from tests.integration.sources.subject import SECRET, ByLedger, Subject

from headwater.ports.connections import ConnectionInfo


class Relation(Subject):
    def __init__(self, source: Source, **extract: Any) -> None:
        super().__init__(source.folder)
        self.table, self.connection, self.source = sql_table(**extract), source.info, source
        source.sql("create table flights (id int primary key, note text, fare numeric(10,2))")

    def add(self, ids: Sequence[int]) -> None:
        rows = ", ".join(f"({number}, 'note {number}', {number} / 7.0)" for number in ids)
        self.source.sql(f"insert into flights values {rows}")

    def remove(self) -> None:
        self.source.sql("drop table flights")


class InChunks(ByLedger, Relation):
    def __init__(self, source: Source) -> None:
        super().__init__(source, **self.options)


class Table(Subject):
    """A relation of an SQLite database."""

    def __init__(self, folder: Path, **extract: Any) -> None:
        super().__init__(folder / "data")
        self.table, self.path = sql_table(**extract), folder / "flights.db"
        self.connection = ConnectionInfo(id="sqlite", kind="sqlite", host=str(self.path), password=SecretStr(SECRET))
        self.sql("create table flights (id int primary key, note text, fare numeric(10,2))")

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.path)) as session, session:
            session.execute(statement)

    def add(self, ids: Sequence[int]) -> None:
        rows = ", ".join(f"({number}, 'note {number}', {number / 7:.2f})" for number in ids)
        self.sql(f"insert into flights values {rows}")

    def remove(self) -> None:
        self.sql("drop table flights")
