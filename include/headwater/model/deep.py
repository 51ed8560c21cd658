"""What DAG parsing leaves out: the text of contracts, and the tables that SQL reads."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.errors import SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec
from headwater.model.layout import Layout
from headwater.model.resolution import Resolution
from headwater.model.sql import read_gold_sql


def deepen(layout: Layout, result: Resolution) -> None:
    """Fill ``contracts`` and ``inputs`` of the spec, or add what is wrong with those files to its errors."""
    spec = result.spec
    if spec is None:
        return
    contracts = {}
    for table in gated_tables(spec):
        contracts[table.dotted] = layout.contract(table).read_text(encoding="utf-8")
    gold = [_with_inputs(layout, spec, gold, result) for gold in spec.gold]
    result.spec = spec.model_copy(update={"contracts": contracts, "gold": tuple(gold)}) if not result.errors else None


def gated_tables(spec: PipelineSpec) -> Iterator[TableName]:
    """Every table with a contract, bronze first."""
    if isinstance(spec, SourceSpec):
        for layer in (Layer.BRONZE, Layer.SILVER):
            yield from (spec.name_of(layer, table.name) for table in spec.tables)
    yield from (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)


def _with_inputs(layout: Layout, spec: PipelineSpec, gold: GoldSpec, result: Resolution) -> GoldSpec:
    file = layout.display(layout.sql(spec.name_of(Layer.GOLD, gold.name)))
    try:
        return gold.model_copy(update={"inputs": read_gold_sql(gold.sql, file).inputs})
    except SpecError as error:
        result.errors.append(error)
        return gold
