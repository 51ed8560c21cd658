"""A cursor column in the source's own SQL: windows, and which cursors are unusable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.adapters.sources.choosing import cursor_column
from headwater.adapters.sources.offering import is_whole_number
from headwater.adapters.sources.queried.columns import QueriedColumn, instant
from headwater.adapters.sources.queried.database import Database
from headwater.domain.spec import SqlExtract, TableSpec


@dataclass(frozen=True, slots=True)
class Cursor:
    """A cursor column of a relation called ``t``. Values are texts, as the column's form shows them."""

    column: QueriedColumn
    database: Database

    @classmethod
    def of(cls, table: TableSpec, extract: SqlExtract, columns: Sequence[QueriedColumn], database: Database) -> Cursor:
        """:raises SpecError: when the cursor has a type without order, or ``lag`` has no meaning for it."""
        found = cursor_column(
            table, extract, columns,
            is_time=lambda column: column.moments is not None,
            counts=lambda column: column.counts or is_whole_number(column.type),
            times="a date or time", numbers="a whole number or a row version",
        )  # fmt: skip
        return cls(found, database)

    @property
    def is_time(self) -> bool:
        return self.column.moments is not None

    @property
    def described(self) -> tuple[str, str]:
        return self.column.name, self.column.source_type

    @property
    def name(self) -> str:
        return f"t.{self.database.quoted(self.column.name)}"

    def value(self, text: str) -> str:
        return self.database.value(self.column, text) if self.is_time or self.column.counts else str(int(text))

    def order(self, text: str) -> str | int:
        """What values are compared by: texts of times and versions have one width."""
        return text if self.is_time or self.column.counts else int(text)

    def floor(self, moment: datetime) -> str:
        return self.column.moments.floor(moment) if self.column.moments else ""

    def before(self, moment: datetime) -> str:
        """The greatest value before an instant."""
        return self.column.moments.before(moment) if self.column.moments else ""

    def below(self, watermark: str, lag: timedelta) -> str:
        """The watermark less the lag, or a little less."""
        return self.floor(instant(watermark) - lag) if lag else watermark

    def inside(self, low: str | None, high: str | None) -> str:
        """The condition of the window (low, high]; nothing is inside without a high bound. Never true for NULL."""
        if high is None:
            return "1 = 0"
        bounds = [f"{self.name} <= {self.value(high)}"]
        bounds += [f"{self.name} > {self.value(low)}"] if low is not None else []
        return " AND ".join(bounds)

    def is_null(self) -> str:
        return f"{self.name} IS NULL"

    def is_future(self) -> str:
        """True for a cursor more than a day ahead of the source's clock: writers' clocks and zones differ by less."""
        return f"{self.name} > {self.database.tomorrow(self.column)}" if self.is_time else "1 = 0"
