"""Whether the source's columns still fit the live table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from headwater.adapters.sources.parquet import source_columns
from headwater.domain.errors import SchemaDriftError
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import TableSpec
from headwater.domain.widening import can_be_judged


@dataclass(frozen=True, slots=True)
class Fit:
    """How a source's columns go into the live table.

    :param left_out: columns that are not read. :param judged: column -> live type, where the source's type is another
        and each value has to be asked if it is one of the live type.
    """

    left_out: frozenset[str] = frozenset()
    judged: Mapping[str, str] = field(default_factory=dict)

    def read_as(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns that are read, in the types of the live table."""
        taken = (column for column in columns if column.name not in self.left_out)
        return tuple(item.model_copy(update={"type": self.judged.get(item.name, item.type)}) for item in taken)


_WIDENINGS = {("int", "long"), ("float", "double")}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def fitting(columns: Sequence[Column], table: TableSpec, schema: TableSchema, where: str, facts: dict[str, str]) -> Fit:
    """What of the source's columns is read into the live table.

    Every column of the live table has to exist at the source with a type it can hold, and no other one may; under
    ``drift: quarantine`` others are left out, and values of other types judged one by one.

    :raises SchemaDriftError: naming the column.
    """
    offered, judging = {column.name: column for column in columns}, table.drift == "quarantine"
    judged: dict[str, str] = {}
    for column in source_columns(schema):
        found = offered.pop(column.name, None)
        if found is None:
            near = get_close_matches(column.name, [c.name for c in columns], n=3, cutoff=0.5)
            _refuse(f"column {column.name!r} vanished from {where}", column.name, facts, ", ".join(near) or None)
        elif holds(column.type, found.type):
            continue
        elif judging and column.name not in table.identifying_columns and can_be_judged(column.type, found.type):
            judged[column.name] = column.type
        else:
            kinds = f"{found.source_type or found.type} does not fit {column.type}"
            _refuse(f"column {column.name!r} of {where} changed its type: {kinds}", column.name, facts, column.type)
    for name, column in offered.items():
        if not judging:
            _refuse(
                f"column {name!r} of type {column.type} is new in {where}", name, facts, "the columns of the live table"
            )
    return Fit(frozenset(offered), judged)


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
