"""Whether a gold table's SQL fits the mode it declares (rule 38)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headwater.domain.names import Layer
from headwater.domain.spec import GoldSpec
from headwater.model.schedules import Finding
from headwater.model.sql_groups import group_queries, why_not_append

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


def route(gold: GoldSpec) -> str:
    """How the table is built, in words for people."""
    if gold.mode != "merge":
        return "made anew" if gold.mode == "rebuild" else "append"
    why = group_queries(gold.sql, gold.grain).why_not
    return f"merge, always made anew: {why}" if why else "merge"
