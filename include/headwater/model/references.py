"""Tables that files name, and whether they exist."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec, ProductSpec
from headwater.model.sql.one_select import line_of, parse_select


def line_of_table(sql: str, table: TableName) -> int | None:
    """The line of a SQL text that reads the table first."""
    from sqlglot import exp

    for node in parse_select(sql, "sql").find_all(exp.Table, bfs=False):
        if ".".join(part.name for part in node.parts) == table.dotted:
            return line_of(node)
    return None


def unknown_table(dotted: str, where: Location, known: Collection[str]) -> SpecError:
    """Refuse a table nothing writes, with the nearest that exists."""
    near = difflib.get_close_matches(dotted, known, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else None
    return SpecError(f"there is no table {dotted}", where, got=dotted, allowed=", ".join(sorted(known)), remedy=remedy)


def tables_of(spec: PipelineSpec) -> tuple[TableName, ...]:
    """Every table a pipeline writes that others may read: bronze, silver, gold."""
    gold = tuple(spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)
    if isinstance(spec, ProductSpec):
        return gold
    layers = (Layer.BRONZE, Layer.SILVER)
    return (*(spec.name_of(layer, table.name) for layer in layers for table in spec.tables), *gold)
