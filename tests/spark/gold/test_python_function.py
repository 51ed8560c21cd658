"""Gold made by a Python function: same fixtures, same branch, same pinned inputs as SQL (rules 15, 43)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.domain.job import BuildTable, Fixture, PreflightTable
from headwater.domain.names import Layer
from headwater.domain.run import InputRef
from headwater.domain.spec import GoldSpec, PythonTransform

CODE = """
def totals(rows, planned_at):
    return rows.groupBy("k").sum("v").selectExpr("k", "`sum(v)` AS v", f"year('{planned_at}') AS y")


def nothing(rows):
    return 7


def two(rows, others):
    return rows
"""


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("site")
    (folder / "headwater_test_code.py").write_text(CODE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield Path(folder)


def spec(name: str, silver: Any) -> GoldSpec:
    transform = PythonTransform(python=f"headwater_test_code:{name}", inputs=(silver.dotted,))
    return GoldSpec(name=name, grain=("k",), sql="", transform=transform, inputs=(silver,))


def test_a_function_makes_a_table_of_exactly_its_pinned_inputs(lake: Any) -> None:
    silver = lake.filled(lake.name(Layer.SILVER), "k int, v int", ["1, 2", "1, 3", "2, 5"])
    pinned = InputRef(snapshot_id=lake.heads[silver], batch=1)
    lake.spark.sql(f"INSERT INTO {silver.iceberg} VALUES (1, 100)").collect()
    orders = [
        BuildTable(
            spec=spec(name, silver), gold=lake.name(Layer.GOLD, name), base=None, inputs={silver.dotted: pinned},
            state=lake.state(1),
        )
        for name in ("totals", "nothing", "two")
    ]  # fmt: skip
    made, nothing, two = lake.run(lake.job("build_gold", 1, build=orders)).tables
    lake.publish(made.staged)
    assert [(r.k, r.v, r.y) for r in lake.rows(lake.name(Layer.GOLD, "totals"), order="k")] == [
        (1, 5, 2026),
        (2, 5, 2026),
    ]
    assert (nothing.status, "it returned int" in nothing.error_line) == ("failed", True)
    assert (two.status, "missing a required argument" in two.error_line) == ("failed", True)


def test_its_fixture_runs_it(lake: Any) -> None:
    silver = lake.name(Layer.SILVER)
    gold = lake.name(Layer.GOLD, "totals")
    given = {silver.dotted: ({"k": 1, "v": 2}, {"k": 1, "v": 5})}
    tests = [
        Fixture(name=str(total), table=gold, given=given, expect=({"k": 1, "v": total, "y": 2000},), file="f.yml")
        for total in (7, 8)
    ]
    order = PreflightTable(gold=spec("totals", silver), table=gold, fixtures=tuple(tests))
    (result,) = lake.run(lake.job("preflight", 1, preflight=[order])).tables
    assert result.status == "red"
    assert all(": 8: " in line for line in result.differences)
