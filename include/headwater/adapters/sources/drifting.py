"""Whether the source's columns still fit the live table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from headwater.adapters.sources.parquet import source_columns
from headwater.domain.errors import SchemaDriftError
from headwater.domain.schema import Column, TableSchema

_WIDENINGS = {("int", "long"), ("float", "double")}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def check_fits(columns: Sequence[Column], schema: TableSchema, where: str, facts: dict[str, str]) -> None:
    """Every column of the live table exists at the source with a type it can hold, and no other column does.

    :raises SchemaDriftError: naming the column.
    """
    offered = {column.name: column for column in columns}
    live = source_columns(schema)
    for column in live:
        found = offered.pop(column.name, None)
        if found is None:
            near = get_close_matches(column.name, [c.name for c in columns], n=3, cutoff=0.5)
            _refuse(f"column {column.name!r} vanished from {where}", column.name, facts, ", ".join(near) or None)
        elif not holds(column.type, found.type):
            kinds = f"{found.source_type or found.type} does not fit {column.type}"
            _refuse(f"column {column.name!r} of {where} changed its type: {kinds}", column.name, facts, column.type)
    for name, column in offered.items():
        _refuse(
            f"column {name!r} of type {column.type} is new in {where}", name, facts, "the columns of the live table"
        )


def holds(live: str, offered: str) -> bool:
    """Whether a live column of one Iceberg type takes every value of another, by Iceberg's own widenings."""
    if live == offered or (offered, live) in _WIDENINGS:
        return True
    wide, narrow = _DECIMAL.fullmatch(live), _DECIMAL.fullmatch(offered)
    return bool(wide and narrow and wide[2] == narrow[2] and int(wide[1]) >= int(narrow[1]))


def _refuse(message: str, column: str, facts: dict[str, str], allowed: str | None) -> None:
    raise SchemaDriftError(
        message,
        got=column,
        allowed=allowed,
        remedy="Undo the change at the source, or declare it: `drift: evolve` takes new columns and wider types; "
        "anything else needs a full refresh into a rebuilt table.",
        facts={**facts, "column": column},
    )
