"""Compares two specs of a pipeline: what the newer one does to each table the older one made (rule 14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from headwater.domain.change import Acknowledgement, Effect, FactValue, SpecChange
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec, TableSpec
from headwater.model.changes.facts import bronze_facts, gold_facts, silver_facts
from headwater.model.changes.rules import Judgement, bronze_rule, gold_rule, silver_rule


def spec_changes(old: PipelineSpec, new: PipelineSpec) -> tuple[SpecChange, ...]:
    """Every change that concerns a table of both, in the order of the newer file. A table of one only is no change."""
    return tuple(change for table in table_names(new) for change in table_changes(old, new, table))


def table_changes(old: PipelineSpec, new: PipelineSpec, table: TableName) -> tuple[SpecChange, ...]:
    """What changed for one bronze, silver or gold table; nothing when one of the two does not have it."""
    if table.layer is Layer.GOLD:
        return tuple(_of_gold(_gold(old, table), _gold(new, table), table))
    return tuple(_of_source(_table(old, table), _table(new, table), table))


def table_names(spec: PipelineSpec) -> tuple[TableName, ...]:
    """Every table a pipeline makes, by source table, bronze before silver, then gold."""
    layers = (Layer.BRONZE, Layer.SILVER)
    tables = spec.tables if isinstance(spec, SourceSpec) else ()
    gold = (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)
    return (*(spec.name_of(layer, table.name) for table in tables for layer in layers), *gold)


def _of_source(old: TableSpec | None, new: TableSpec | None, table: TableName) -> Iterator[SpecChange]:
    if old is None or new is None:
        return
    facts, rule = (bronze_facts, bronze_rule) if table.layer is Layer.BRONZE else (silver_facts, silver_rule)
    other_kind = old.extract.kind != new.extract.kind
    for path, was, now in _different(facts(old), facts(new)):
        if other_kind and path.startswith("extract.") and path != "extract.kind":
            continue  # of another kind everything else differs, too
        yield _change(table, path, was, now, rule(old, new, path), new.acknowledge)


def _of_gold(old: GoldSpec | None, new: GoldSpec | None, table: TableName) -> Iterator[SpecChange]:
    if old is None or new is None:
        return
    for path, was, now in _different(gold_facts(old), gold_facts(new)):
        yield _change(table, path, was, now, gold_rule(old, new, path), new.acknowledge)


def _different(
    old: Mapping[str, FactValue], new: Mapping[str, FactValue]
) -> Iterator[tuple[str, FactValue, FactValue]]:
    for path in dict.fromkeys((*new, *old)):
        was, now = old.get(path), new.get(path)
        if was != now:
            yield path, was, now


def _change(
    table: TableName,
    path: str,
    was: FactValue,
    now: FactValue,
    judged: Judgement,
    acknowledgements: Sequence[Acknowledgement],
) -> SpecChange:
    meant = judged.effect is Effect.REBUILD and any(
        item.change == path and item.was == was for item in acknowledgements
    )
    return SpecChange(
        table=table,
        path=path,
        was=was,
        now=now,
        effect=judged.effect,
        why=judged.why,
        destroys=judged.destroys,
        acknowledged=meant,
        # what a change of SQL does to the types of columns shows only when it runs; a person may know it before
        reshapes=judged.reshapes or (meant and not judged.destroys),
    )


def _table(spec: PipelineSpec, name: TableName) -> TableSpec | None:
    tables = spec.tables if isinstance(spec, SourceSpec) else ()
    return next((table for table in tables if table.name == name.table), None)


def _gold(spec: PipelineSpec, name: TableName) -> GoldSpec | None:
    return next((gold for gold in spec.gold if gold.name == name.table), None)
