"""What a query answered, with words where Python has no value: infinite instants, intervals of months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.worded import worded

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class QueryResult:
    """Rows as the query ordered them; ``columns`` may repeat a name, as SQL may.

    An infinite instant is ``infinity`` or ``-infinity``, an interval DuckDB's text of it, such as ``1 month 2 days``;
    also inside lists, structs and maps.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def objects(self) -> list[dict[str, object]]:
        """A row as an object per column; a name that comes again is numbered, so that no value is lost."""
        names: list[str] = []
        for column in self.columns:
            name, number = column, 2
            while name in names:
                name, number = f"{column}_{number}", number + 1
            names.append(name)
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def answered(connection: DuckDBPyConnection, sql: str) -> QueryResult:
    """The answer to one SELECT. :raises duckdb.Error: when DuckDB refuses it."""
    asked = connection.sql(sql)
    told = [worded(kind, f"#{place}") for place, kind in enumerate(asked.types, 1)]
    return QueryResult(tuple(asked.columns), tuple(asked.project(", ".join(told)).fetchall()))
