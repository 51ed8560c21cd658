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
class Part:
    """One of the chunks that a window is read in.

    :param condition: of its rows, in the source's SQL.
    :param first_ordinal: what its positions are counted from (rule 27).
    :param order: what its rows come in the order of.
    :param of_cursors: whether it is of the rows whose cursor is in no window, and of none else.
    """

    number: int
    condition: str
    first_ordinal: int
    order: str | None = None
    of_cursors: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What is read, how, and where to. Columns travel as c0, c1 …: no name of a source's is one for SQL of both.

    :param offered: all columns of the relation. :param columns: those that are read.
    :param part: the chunk that is read; None: the whole window at once.
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
    part: Part | None = None

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
        if self.part is not None:
            return self.part.of_cursors
        window = self.window
        met = window.null_cursors or window.future_cursors
        return bool(self.cursor and met and (window.advances_watermark or window.low is None))

    @property
    def stem(self) -> str:
        """How the names of its files begin (rule 12)."""
        return f"{self.stamp.attempt}-{self.table.name}{self._number}"

    @property
    def rejects_stem(self) -> str:
        return f"{self.stamp.attempt}-rejects{self._number}"

    @property
    def _number(self) -> str:
        return "" if self.part is None else f"-{self.part.number}"

    def reading(self) -> Reading | None:
        """The cursor as plans look at it."""
        if self.cursor is None:
            return None
        return Reading(self.session, self.table, self.extract, self.relation, self.offered, self.cursor)

    def select(self) -> str:
        """The window's rows in the source's SQL."""
        items = [f"{column.expression()} AS c{place}" for place, column in enumerate(self.columns)]
        inside = self.cursor.inside(self.window.low, self.window.high) if self.cursor else "TRUE"
        inside = inside if self.part is None else self.part.condition
        if self.cursor and self.asks_for_cursors:
            null, future = self.cursor.is_null(), self.cursor.is_future()
            # a cursor that came of age between plan and now is in no window yet, and waits
            items.append(f"CASE WHEN {null} THEN 1 WHEN {future} THEN 2 END AS {UNUSABLE}")
            inside = f"({inside}) OR {null} OR {future}"
        order = f" ORDER BY {self.part.order}" if self.part is not None and self.part.order else ""
        return f"SELECT {', '.join(items)} FROM {dotted(self.relation)} AS t WHERE {inside}{order}"  # noqa: S608 - made of quoted names and literals
