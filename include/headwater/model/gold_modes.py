"""Whether a gold table's SQL fits the mode it declares (rule 38)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec
from headwater.model.schedules import Finding
from headwater.model.sql.groups import group_queries, why_not_append

_APPEND = "mode: merge or rebuild; append takes row-wise SQL over one silver table of mode append"


def mode_findings(gold: GoldSpec) -> Iterator[Finding]:
    """``append`` over SQL that is not row by row; paths start at the table."""
    if gold.mode == "append":
        why = why_not_append(gold.sql)
        if why:
            yield ("mode",), "new input rows alone do not give the new rows of this SQL", why, _APPEND


def mode_warnings(gold: GoldSpec) -> Iterator[Finding]:
    """``merge`` over SQL that can only be made anew."""
    if gold.mode == "merge":
        why = group_queries(gold.sql, gold.grain).why_not
        if why:
            message = "this table is made anew on every change: its SQL cannot be followed group by group"
            yield ("mode",), message, why, "joins, filters and groups over columns; or mode: rebuild"


def input_findings(gold: GoldSpec, silver_modes: Mapping[str, str]) -> Iterator[Finding]:
    """``append`` over rows that change later.

    :param silver_modes: dotted silver table -> its mode, of every source that loads.
    """
    for table in gold.inputs if gold.mode == "append" else ():
        mode = silver_modes.get(table.dotted, "append" if table.layer is Layer.SILVER else "gold")
        if mode != "append":
            yield ("mode",), f"rows of {table.dotted} change after they came", mode, _APPEND


def circles(golds: Sequence[GoldSpec], source: str) -> Iterator[Finding]:
    """Gold tables of one pipeline that read one another in a circle; paths start at ``gold``."""
    left = list(golds)
    while left:
        waiting = {gold.name for gold in left}
        ready = [g for g in left if not waiting & {t.table for t in _own_gold(g, source)}]
        if not ready:
            names = ", ".join(gold.name for gold in left)
            message = "these gold tables read one another in a circle, so none can be made first"
            yield (left[0].name,), message, names, "inputs that are made before the table"
            return
        left = [gold for gold in left if gold not in ready]


def _own_gold(gold: GoldSpec, source: str) -> Iterator[TableName]:
    return (table for table in gold.inputs if table.layer is Layer.GOLD and table.source == source)


def route(gold: GoldSpec) -> str:
    """How the table is built, in words for people."""
    if gold.transform is not None:
        return f"made anew by {gold.transform.python}"
    if gold.mode != "merge":
        return "made anew" if gold.mode == "rebuild" else "append"
    why = group_queries(gold.sql, gold.grain).why_not
    return f"merge, always made anew: {why}" if why else "merge"
