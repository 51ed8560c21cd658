"""One extract of one relation, everything decided."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.mysql_sql import dotted
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.mysql.surveying import Reading
from headwater.domain.run import Window
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp

UNUSABLE = "unusable"
"""What the source says of a row's cursor, when it is asked."""


@dataclass(frozen=True, slots=True)
class Read:
    """What is read, how, and where to. Columns travel as c0, c1 …: no name of a source's is one for SQL of both.

    :param offered: all columns of the relation. :param columns: those that are read.
    """

    session: Session
    connection: ConnectionInfo
    table: TableSpec
    extract: SqlExtract
    relation: tuple[str, str]
    offered: tuple[SourceColumn, ...]
    columns: tuple[SourceColumn, ...]
    cursor: Cursor | None
    window: Window
    stamp: BatchStamp
    schema: TableSchema
    folder: str

    @property
    def origin(self) -> str:
        return f"{self.connection.id}:{'.'.join(self.relation)}"

    @property
    def facts(self) -> dict[str, str]:
        return {"table": self.table.name, "relation": ".".join(self.relation), "connection": self.connection.id}

    @property
    def arrivals(self) -> dict[str, str]:
        """The names under which columns arrive."""
        return {column.name: f"c{place}" for place, column in enumerate(self.columns)}

    @property
    def asks_for_cursors(self) -> bool:
        """Whether rows whose cursor is in no window are to be read too: the plan met some, and they are this run's."""
        window = self.window
        met = window.null_cursors or window.future_cursors
        return bool(self.cursor and met and (window.advances_watermark or window.low is None))

    def reading(self) -> Reading | None:
        """The cursor as plans look at it."""
        if self.cursor is None:
            return None
        return Reading(self.session, self.table, self.extract, self.relation, self.offered, self.cursor)

    def select(self) -> str:
        """The window's rows in the source's SQL."""
        items = [f"{column.expression()} AS c{place}" for place, column in enumerate(self.columns)]
        inside = self.cursor.inside(self.window.low, self.window.high) if self.cursor else "TRUE"
        if self.cursor and self.asks_for_cursors:
            null, future = self.cursor.is_null(), self.cursor.is_future()
            # a cursor that came of age between plan and now is in no window yet, and waits
            items.append(f"CASE WHEN {null} THEN 1 WHEN {future} THEN 2 END AS {UNUSABLE}")
            inside = f"({inside}) OR {null} OR {future}"
        return f"SELECT {', '.join(items)} FROM {dotted(self.relation)} AS t WHERE {inside}"  # noqa: S608 - made of quoted names and literals
