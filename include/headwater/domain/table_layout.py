"""How a table's files are laid out: partitions, order, properties. What a table holds does not depend on it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from headwater.domain.base import Value

_NAME = r"[A-Za-z_]\w*"
_PARTITION = re.compile(
    rf"(?:(?P<time>year|month|day|hour)\(\s*(?P<of>{_NAME})\s*\)"
    rf"|(?P<sized>bucket|truncate)\(\s*(?P<size>[1-9]\d{{0,6}})\s*,\s*(?P<by>{_NAME})\s*\)|(?P<column>{_NAME}))"
)
_SORT = re.compile(rf"(?P<column>{_NAME})(?:\s+(?P<way>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?", re.IGNORECASE)
LAYOUT_PROPERTY = "headwater.layout"
"""Table property that holds the layout a table was given, as JSON."""
PARTITIONS = "column, year(c), month(c), day(c), hour(c), bucket(16, c), truncate(4, c)"
SORTS = "column, column desc, column asc nulls last"


class PartitionField(Value):
    """One partition field. ``size`` is the number of buckets or the width of a truncation."""

    column: str
    transform: str | None = None
    size: int | None = None

    @classmethod
    def parse(cls, text: str) -> PartitionField:
        """Read ``day(time_hour)``. :raises ValueError: when it is none."""
        found = _PARTITION.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no partition field; allowed: {PARTITIONS}")
        column = found["of"] or found["by"] or found["column"]
        return cls(
            column=column, transform=found["time"] or found["sized"], size=int(found["size"]) if found["size"] else None
        )


class SortField(Value):
    """One column files are sorted by."""

    column: str
    descending: bool = False
    nulls_first: bool = True

    @classmethod
    def parse(cls, text: str) -> SortField:
        """Read ``dep_delay desc nulls last``; NULLs come first when ascending. :raises ValueError: when it is none."""
        found = _SORT.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no sort field; allowed: {SORTS}")
        descending = (found["way"] or "").lower() == "desc"
        nulls_first = found["nulls"].lower() == "first" if found["nulls"] else not descending
        return cls(column=found["column"], descending=descending, nulls_first=nulls_first)


def _parsed_partition(text: object) -> object:
    if isinstance(text, str):
        PartitionField.parse(text)
    return text


def _rejoined(value: object) -> object:
    """YAML cuts ``[bucket(16, origin)]`` at its comma; the parts are put together again."""
    if not isinstance(value, list | tuple):
        return value
    parts: list[object] = []
    for part in value:
        last = parts[-1] if parts else None
        if isinstance(last, str) and isinstance(part, str) and last.count("(") > last.count(")"):
            parts[-1] = f"{last}, {part}"
        else:
            parts.append(part)
    return tuple(parts)


def _parsed_sort(text: object) -> object:
    if isinstance(text, str):
        SortField.parse(text)
    return text


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


_PropertyText = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float | bool)]


class TableLayout(Value):
    """Declared for a silver or gold table; applied when it is created, and when it is made anew after a change."""

    partition_by: Annotated[
        tuple[Annotated[str, BeforeValidator(_parsed_partition)], ...], BeforeValidator(_rejoined)
    ] = ()
    sort_by: tuple[Annotated[str, BeforeValidator(_parsed_sort)], ...] = ()
    properties: dict[str, _PropertyText] = Field(default_factory=dict)

    @property
    def partitions(self) -> tuple[PartitionField, ...]:
        return tuple(PartitionField.parse(text) for text in self.partition_by)

    @property
    def sorts(self) -> tuple[SortField, ...]:
        return tuple(SortField.parse(text) for text in self.sort_by)

    @property
    def layout(self) -> TableLayout:
        """Only the layout, of a value that has more."""
        return TableLayout(partition_by=self.partition_by, sort_by=self.sort_by, properties=self.properties)
