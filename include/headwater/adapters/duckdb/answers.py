"""What a query answered, with words where Python has no value: infinite instants, intervals of months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_INSTANTS = ("DATE", "TIMESTAMP")
"""Types that begin so have infinities, which DuckDB's client makes the last and the first instant it can tell."""


@dataclass(frozen=True)
class QueryResult:
    """Rows as the query ordered them; ``columns`` may repeat a name, as SQL may.

    An infinite instant is ``infinity`` or ``-infinity``, an interval DuckDB's text of it, such as ``1 month 2 days``.
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
    kinds = [str(kind) for kind in asked.types]
    told = [f"#{place}::VARCHAR" if kind == "INTERVAL" else f"#{place}" for place, kind in enumerate(kinds, 1)]
    instants = [place for place, kind in enumerate(kinds) if kind.startswith(_INSTANTS) and not kind.endswith("]")]
    infinite = [f"CASE WHEN isinf(#{place + 1}) THEN #{place + 1}::VARCHAR END" for place in instants]
    found = asked.project(", ".join(told + infinite)).fetchall()
    return QueryResult(tuple(asked.columns), tuple(_with_words(row, instants, len(kinds)) for row in found))


def _with_words(row: tuple[object, ...], instants: list[int], width: int) -> tuple[object, ...]:
    words = {place: word for place, word in zip(instants, row[width:], strict=True) if word is not None}
    return tuple(words.get(place, value) for place, value in enumerate(row[:width]))
