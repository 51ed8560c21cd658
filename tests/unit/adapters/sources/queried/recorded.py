"""Databases whose sessions give recorded rows: what is shown is how statements are put together, and what becomes of
their rows; that a server takes them is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from headwater.adapters.sources.oracle.database import Oracle
from headwater.adapters.sources.sqlserver.database import SqlServer
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

SQLSERVER = ConnectionInfo(id="erp", kind="mssql", host="db.example.com", login="headwater", schema_="erp")
ORACLE = ConnectionInfo(id="hr", kind="oracle", host="db.example.com", login="hr", extra={"service_name": "hr"})


@dataclass
class RecordedSession:
    """Answers a statement by the first recording whose words are in it."""

    answers: Mapping[str, Sequence[tuple[Any, ...]]]
    asked: list[str] = field(default_factory=list)
    told: str = "a recorded server"

    def all(self, query: str) -> list[tuple[Any, ...]]:
        self.asked.append(" ".join(query.split()))
        return list(next((rows for words, rows in self.answers.items() if words in self.asked[-1]), ()))

    def batches(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        yield self.all(query)

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        self.asked.append("begin")
        yield
        self.asked.append("end")

    def close(self) -> None:
        self.asked.append("close")


@dataclass(frozen=True)
class RecordedSqlServer(SqlServer):
    session: RecordedSession = field(default_factory=lambda: RecordedSession({}))

    def connect(self) -> Any:
        return self.session


@dataclass(frozen=True)
class RecordedOracle(Oracle):
    session: RecordedSession = field(default_factory=lambda: RecordedSession({}))

    def connect(self) -> Any:
        return self.session


def table(name: str = "orders", key: tuple[str, ...] = (), **extract: Any) -> TableSpec:
    return TableSpec(name=name, key=key, extract=SqlExtract(**extract), silver=Silver(mode="append"))


def live(schema: TableSchema) -> TableSchema:
    """The table that a first run makes of what the source has."""
    columns = (*schema.columns, *BRONZE_SYSTEM_COLUMNS)
    numbered = (column.model_copy(update={"field_id": place}) for place, column in enumerate(columns, 1))
    return TableSchema(columns=tuple(numbered))
