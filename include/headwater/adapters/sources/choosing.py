"""The column that the YAML names as cursor, held against what can be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from headwater.domain.errors import SpecError
from headwater.domain.spec import SqlExtract, TableSpec


class Named(Protocol):
    """A column of a source."""

    @property
    def name(self) -> str: ...
    @property
    def source_type(self) -> str | None: ...


Column = TypeVar("Column", bound=Named)


def cursor_column(
    table: TableSpec,
    extract: SqlExtract,
    columns: Sequence[Column],
    *,
    is_time: Callable[[Column], bool],
    counts: Callable[[Column], bool],
    times: str,
    numbers: str,
) -> Column:
    """The cursor's column.

    :param times: the source's own words for types whose values are dates or times. :param numbers: for the others.
    :raises SpecError: when the cursor has a type without order, or ``lag`` has no meaning for it.
    """
    found = next((column for column in columns if column.name == extract.cursor), None)
    if found is None or not (is_time(found) or counts(found)):
        raise SpecError(
            f"table {table.name!r} needs a cursor column that grows",
            got=None if found is None else f"{found.name} of type {found.source_type}",
            allowed=f"a column of type {times}, or {numbers}",
            facts={"table": table.name},
        )
    if extract.lag and not is_time(found):
        raise SpecError(
            f"table {table.name!r}: `lag` is a duration, but cursor {found.name!r} is none of dates or times",
            got=f"lag {extract.lag}",
            allowed=f"no lag, or a cursor of type {times}",
            facts={"table": table.name, "column": found.name},
        )
    return found
