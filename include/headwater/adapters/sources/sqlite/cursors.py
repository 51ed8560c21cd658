"""A cursor column as SQL that is comparable, whatever form SQLite stores its values in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.adapters.duckdb.sql import quoted
from headwater.adapters.sources.choosing import cursor_column
from headwater.adapters.sources.sqlite.instants import shown
from headwater.domain.schema import Column
from headwater.domain.spec import SqlExtract, TableSpec

TIME_TYPES = ("date", "timestamp", "timestamptz")
_MICROSECOND, _DAY = timedelta(microseconds=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A cursor column. Values are texts: of an integer, or of an instant in one form."""

    column: Column

    @classmethod
    def of(cls, table: TableSpec, extract: SqlExtract, columns: tuple[Column, ...]) -> Cursor:
        """:raises SpecError: when the cursor has a type without order, or ``lag`` has no meaning for it."""
        found = cursor_column(
            table, extract, columns,
            is_time=lambda column: column.type in TIME_TYPES, counts=lambda column: column.type == "long",
            times="date or timestamp", numbers="an integer",
        )  # fmt: skip
        return cls(found)

    @property
    def is_time(self) -> bool:
        return self.column.type in TIME_TYPES

    @property
    def described(self) -> tuple[str, str]:
        return self.column.name, str(self.column.source_type)

    @property
    def value(self) -> str:
        """SQL; NULL for what is stored as another type, or is no time."""
        name = quoted(self.column.name)
        return f"hw_instant({name})" if self.is_time else f"CASE typeof({name}) WHEN 'integer' THEN {name} END"

    def order(self, text: str) -> str | int:
        """What values are compared by, in SQL too: instants have one width."""
        return text if self.is_time else int(text)

    def before(self, moment: datetime) -> str:
        """The greatest value before an instant: they have microseconds at most."""
        return shown(moment - _MICROSECOND)

    def below(self, watermark: str, lag: timedelta) -> str:
        """The watermark less the lag."""
        return shown(datetime.fromisoformat(watermark).replace(tzinfo=UTC) - lag) if lag else watermark

    def is_unusable(self, now: datetime) -> tuple[str, str]:
        """SQL conditions: the cursor is NULL; it lies more than a day ahead of this machine's clock."""
        future = f"coalesce({self.value} > '{shown(now + _DAY)}', false)" if self.is_time else "false"
        return f"{self.value} IS NULL", future
