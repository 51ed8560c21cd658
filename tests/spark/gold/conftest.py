"""Gold tables over silver that a test refines: built by following what changed, and compared with being made anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from headwater.domain.increment import Follow, FollowedInput
from headwater.domain.job import BuildTable, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef
from headwater.domain.spec import GoldSpec
from headwater.domain.staging import TableState
from headwater.model.sql.groups import group_queries
from headwater_spark.entrypoints.build_gold import pin_input
from headwater_spark.transforms.pinned_sql import pin_tables


@dataclass
class Gold:
    """The gold tables of a lake, and what each was last built from."""

    lake: Any
    keys: Mapping[str, tuple[str, ...]]
    """Silver table -> its key; empty for tables that only append."""
    built_from: dict[str, dict[str, InputRef]] = field(default_factory=dict)
    tables: dict[str, TableName] = field(default_factory=dict)

    def spec(self, name: str, sql: str, grain: tuple[str, ...], mode: str = "merge") -> GoldSpec:
        """``{name}`` in the SQL is a silver table of the lake, or gold declared before."""
        tables = {table: self.lake.name(Layer.SILVER, table) for table in self.keys} | self.tables
        inputs = tuple(known for table, known in tables.items() if f"{{{table}}}" in sql)
        text = sql.format(**{table: known.dotted for table, known in tables.items()})
        self.tables[name] = self.lake.name(Layer.GOLD, name)
        return GoldSpec(name=name, mode=mode, grain=grain, sql=text, inputs=inputs)

    def order(self, spec: GoldSpec, batch: int) -> BuildTable:
        """What ``build_gold`` would ask for: everything the first time, then what changed."""
        name = self.lake.name(Layer.GOLD, spec.name)
        now = {table.dotted: InputRef(snapshot_id=self.lake.heads[table], batch=batch) for table in spec.inputs}
        then = self.built_from.get(spec.name)
        follow = None
        if then is not None:
            followed = {
                dotted: FollowedInput(
                    previous=ref,
                    changes="content" if dotted.startswith("gold.") else "batch",
                    key=self.keys.get(TableName.parse(dotted).table, ()),
                )
                for dotted, ref in then.items()
            }
            found = group_queries(spec.sql, spec.grain)
            assert spec.mode == "append" or not found.why_not
            follow = Follow(inputs=followed, queries=found.queries)
        self.built_from[spec.name] = now
        state = TableState(run_key=f"i/{self.lake.source}/r{batch}", spec_hash="h", batch=batch, inputs=now)
        return BuildTable(spec=spec, gold=name, base=self.lake.heads.get(name), inputs=now, state=state, follow=follow)

    def build(self, batch: int, *specs: GoldSpec) -> tuple[TableResult, ...]:
        """Build all in one job and publish."""
        results = self.lake.run(self.lake.job("build_gold", batch, build=[self.order(s, batch) for s in specs])).tables
        assert [result.error for result in results] == [None] * len(specs)
        for result in results:
            self.lake.publish(result.staged)
        return tuple(results)

    def rows(self, spec: GoldSpec) -> Counter[Any]:
        return Counter(map(tuple, self.lake.rows(self.lake.name(Layer.GOLD, spec.name))))

    def anew(self, spec: GoldSpec) -> Counter[Any]:
        """What the SQL gives over the silver there is now."""
        lake = self.lake
        views = {
            table.dotted: pin_input(lake.spark, table, InputRef(snapshot_id=lake.heads[table], batch=0))
            for table in spec.inputs
        }
        return Counter(map(tuple, lake.spark.sql(pin_tables(spec.sql, views)).collect()))


@pytest.fixture(scope="session")
def gold_of() -> Any:
    """Makes ``Gold`` of a lake: ``gold_of(lake, <silver table>=<its key>, …)``."""
    return lambda lake, **keys: Gold(lake, keys)
