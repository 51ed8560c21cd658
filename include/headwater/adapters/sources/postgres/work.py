"""One extract of one relation, everything decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.domain.run import Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp


@dataclass(frozen=True, slots=True)
class Read:
    """What is read, how, and where to."""

    table: TableSpec
    extract: SqlExtract
    connection: ConnectionInfo
    relation: tuple[str, str]
    columns: tuple[SourceColumn, ...]
    window: Window
    stamp: BatchStamp
    schema: TableSchema
    folder: str
    judged: Mapping[str, str] = field(default_factory=dict)
    """Column -> live type, where the source's is another and each value is asked if it is one of the live type."""

    @property
    def origin(self) -> str:
        return f"{self.connection.id}:{'.'.join(self.relation)}"

    @property
    def facts(self) -> dict[str, str]:
        return {"table": self.table.name, "relation": ".".join(self.relation), "connection": self.connection.id}
