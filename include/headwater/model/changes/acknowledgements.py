"""Acknowledgements that can never be about a change: refused when the file is read, whatever was before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from headwater.domain.change import Acknowledgement, FactValue, written
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.changes.facts import bronze_facts, gold_facts, silver_facts
from headwater.model.schedules import Finding

_COLUMN = re.compile(r"columns\..+\.(?:rename|expression|type|mask|default|renamed_from)")
_OF_SOURCE = "key, sql, silver.<key>, extract.deleted_column, columns.<column>.<key>"
_OF_GOLD = "grain, mode, sql"


def acknowledgement_findings(spec: PipelineSpec) -> Iterator[Finding]:
    """What is wrong with the acknowledgements of a deeply resolved spec; paths start at the file."""
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        if table.acknowledge:
            facts = {**bronze_facts(table), **silver_facts(table)}
            yield from _wrong(table.acknowledge, facts, ("tables", table.name), _OF_SOURCE)
    for gold in spec.gold:
        if gold.acknowledge:
            yield from _wrong(gold.acknowledge, gold_facts(gold), ("gold", gold.name), _OF_GOLD)


def _wrong(
    items: Sequence[Acknowledgement], facts: Mapping[str, FactValue], base: tuple[str, str], allowed: str
) -> Iterator[Finding]:
    for index, item in enumerate(items):
        path = (*base, "acknowledge", index)
        known = item.change in facts or (base[0] == "tables" and _COLUMN.fullmatch(item.change) is not None)
        if not known:
            yield (*path, "change"), "no change of this table has this name", item.change, allowed
        elif item.was == facts.get(item.change):
            message = f"{item.change} is this now: the acknowledgement is about no change; remove it"
            yield (*path, "was"), message, written(item.was), "what it was before the change"
