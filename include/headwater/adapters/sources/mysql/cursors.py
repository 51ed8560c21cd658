"""A cursor column in the source's own SQL: windows, which cursors are unusable, and what late commits change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.adapters.sources.choosing import cursor_column
from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.mysql_sql import column, dotted, literal
from headwater.adapters.sources.offering import is_whole_number
from headwater.domain.spec import SqlExtract, TableSpec

TIME_TYPES = ("date", "timestamp", "timestamptz")
_FIRST_DAY, _FIRST_TIMESTAMP = "'0001-01-01'", "'1970-01-01 00:00:01'"
"""MySQL takes a comparison with what no ``timestamp`` can be for decided, and overlooks the zero one that it holds."""
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A cursor column of a relation called ``t``. Values are texts, as the server writes them."""

    column: SourceColumn

    @classmethod
    def of(cls, table: TableSpec, extract: SqlExtract, columns: Sequence[SourceColumn]) -> Cursor:
        """:raises SpecError: when the cursor has a type without order, or ``lag`` has no meaning for it."""
        found = cursor_column(
            table, extract, columns,
            is_time=lambda column: column.type in TIME_TYPES, counts=lambda column: is_whole_number(column.type),
            times="date, datetime or timestamp", numbers="a whole number",
        )  # fmt: skip
        return cls(found)

    @property
    def is_time(self) -> bool:
        return self.column.type in TIME_TYPES

    @property
    def described(self) -> tuple[str, str]:
        return self.column.name, self.column.source_type

    @property
    def name(self) -> str:
        return column(self.column.name)

    def value(self, text: str) -> str:
        """A cursor value from its text, for comparisons that an index can answer."""
        return literal(text) if self.is_time else str(int(text))

    def order(self, text: str) -> datetime | int:
        """What values are compared by."""
        return datetime.fromisoformat(text) if self.is_time else int(text)

    def ordinal(self, text: str) -> int:
        """A value as ``ports.reconciling.PrintedRow.cursor``."""
        value = self.order(text)
        return (value.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value

    def as_ordinal(self) -> str:
        """The same, of a row; NULL for what no calendar has."""
        return f"TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {self.name})" if self.is_time else self.name

    def shown(self, moment: datetime) -> str:
        """An instant as a bound of windows (low, high]. Of a day, only a whole one is."""
        plain = moment.astimezone(UTC) if moment.tzinfo else moment
        form = "%Y-%m-%d" if self.column.type == "date" else "%Y-%m-%d %H:%M:%S.%f"
        return plain.strftime(form).rjust(10 if self.column.type == "date" else 26, "0")

    def before(self, moment: datetime) -> str:
        """The greatest value before an instant: cursors have microseconds at most."""
        return self.shown(moment - _MICROSECOND)

    def below(self, watermark: str, lag: timedelta) -> str:
        """The watermark less the lag."""
        return self.shown(datetime.fromisoformat(watermark) - lag) if lag else watermark

    def inside(self, low: str | None, high: str | None) -> str:
        """The condition of the window (low, high]; nothing is inside without a high bound. Never true for NULL."""
        if high is None:
            return "FALSE"
        bounds = [f"{self.name} <= {self.value(high)}"]
        bounds += [f"{self.name} > {self.value(low)}"] if low is not None else []
        # also because MySQL calls the zero date of a column that may not be NULL both NULL and a value
        bounds += [self.inside_calendar()] if low is None and self.is_time else []
        return " AND ".join(bounds)

    def inside_calendar(self) -> str:
        """True for times that are not zero, nor before the year 1."""
        return f"{self.name} >= {self._first}"

    def is_null(self) -> str:
        """True for NULL, and for a zero date, which says as little."""
        return f"({self.name} IS NULL OR {self.name} < {self._first})" if self.is_time else f"{self.name} IS NULL"

    @property
    def _first(self) -> str:
        return _FIRST_TIMESTAMP if self.column.type == "timestamptz" else _FIRST_DAY

    def is_future(self) -> str:
        """True for a cursor more than a day ahead of the source's clock: writers' clocks and zones differ by less."""
        return f"{self.name} > UTC_TIMESTAMP(6) + INTERVAL 1 DAY" if self.is_time else "FALSE"

    def is_a_day(self) -> str:
        """True for what a calendar has: neither 2013-00-15 nor 2013-02-31."""
        if not self.is_time:
            return f"{self.name} IS NOT NULL"
        return f"DAYOFMONTH({self.name}) BETWEEN 1 AND DAYOFMONTH(LAST_DAY({self.name}))"


def unusable_counts(cursor: Cursor, relation: tuple[str, str]) -> str:
    """A query for the numbers of NULL cursors and of cursors in the future (rule 6), which an index can answer."""
    null, future = cursor.is_null(), cursor.is_future()
    return (
        f"SELECT COUNT(CASE WHEN {null} THEN 1 END), COUNT(CASE WHEN {future} THEN 1 END) "  # noqa: S608 - made of quoted names and literals
        f"FROM {dotted(relation)} AS t WHERE {null} OR {future}"
    )


def zone_sums(
    cursor: Cursor, columns: Sequence[SourceColumn], relation: tuple[str, str], watermark: str, low: str
) -> str:
    """A query for the number of rows of (low, watermark], and the sum of their hashes: order means nothing to it."""
    # column by column: a row's text may be longer than the server lets any text be. By SHA2, as MySQL 9.6 took MD5 away
    parts = ", ".join(f"COALESCE(SHA2({_exact(item)}, 256), '-')" for item in columns)
    row = f"CONV(LEFT(SHA2(CONCAT({parts}), 256), 16), 16, 10)"
    return (
        f"SELECT COUNT(*), SUM(CAST({row} AS DECIMAL(20,0))) "  # noqa: S608 - as above
        f"FROM {dotted(relation)} AS t WHERE {cursor.inside(low, watermark)}"
    )


def _exact(item: SourceColumn) -> str:
    # a float's own text has six digits
    return f"{column(item.name)} + 0e0" if item.data_type == "float" else column(item.name)
