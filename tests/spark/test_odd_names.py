"""Column names with quotes, dots, spaces and words of SQL reach gold as they are."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.job import BuildTable
from headwater.domain.names import Layer
from headwater.domain.run import InputRef
from headwater.domain.spec import GoldSpec

# Soda 4.28 on its own statements for Spark; only tests make errors of warnings
pytestmark = pytest.mark.filterwarnings("ignore:Not fully supported for all datasources yet:DeprecationWarning")
ODD = ('a "quoted" one', "it's", "a.b", "a b", " ", "`", "{x} %s \\n", "SELECT", "é", "../evil")


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def test_odd_column_names_travel_to_gold(lake: Any) -> None:
    """Written twice in each mode, so that the names go through a merge; judged with offending rows; built into gold."""
    columns = "k bigint, " + ", ".join(f"{quoted(name)} string" for name in ODD) + ", u timestamp"

    def row(key: int, value: str, day: int) -> str:
        return f"{key}, " + ", ".join([f"'{value}'"] * len(ODD)) + f", TIMESTAMP '2026-01-{day:02d} 00:00:00Z'"

    specs = [
        lake.spec("upsert", name="u", sequence_by="u"),
        lake.spec("scd2", name="h", extract="snapshot"),
        lake.spec("append", name="a"),
    ]
    specs = [spec.model_copy(update={"key": ("k", "a.b")}) for spec in specs]
    for batch in (1, 2):
        sources = [lake.bronze(batch, columns, [row(1, "x", batch), row(batch, "y", batch)], s.name) for s in specs]
        work = [lake.refine_spec(spec, source) for spec, source in zip(specs, sources, strict=True)]
        results = lake.refine_all(work)
        assert [result.error for result in results] == [None] * 3
    silver = [lake.name(Layer.SILVER, spec.name) for spec in specs]
    for table in silver:
        found = [tuple(found[name] for name in ODD) for found in lake.rows(table, "k = 1", "k")]
        assert ("x",) * len(ODD) in found

    checks = "columns: [{name: \"a.b\", checks: [{invalid: {valid_values: ['x']}}]}]\n"
    judged = lake.judge([lake.judging(silver[0], checks, key=("k", "a.b"))])[0]
    [broken] = [check for check in judged.verdict.checks if check.outcome == "failed"]
    assert "a.b=y" in broken.examples[0], judged.verdict.reason

    gold = lake.name(Layer.GOLD, "g")
    listed = ", ".join(f"t.{quoted(name)}" for name in ODD)
    spec = GoldSpec(name="g", grain=("k", "a.b"), sql=f"SELECT t.k, {listed} FROM {silver[0].dotted} AS t")
    table = BuildTable(
        spec=spec,
        gold=gold,
        base=None,
        inputs={silver[0].dotted: InputRef(snapshot_id=lake.heads[silver[0]], batch=2)},
        state=lake.state(2),
    )
    built = lake.run(lake.job("build_gold", 2, build=(table,))).tables[0]
    assert built.error is None
    lake.publish(built.staged)
    assert set(ODD) <= set(lake.spark.table(gold.iceberg).columns)
