"""Silver shaped by a Python function: row by row, after the column rules, with the same fixtures (rules 37, 43)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.job import Fixture, PreflightTable
from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule, PythonFunction, TableSpec

CODE = """
def graded(rows, planned_at):
    return rows.where("n > 0").withColumn("grade", rows.n * 10).withColumn("y", rows.n * 0 + planned_at.year)


def doubled(rows):
    return rows.unionByName(rows)


def displaced(rows):
    return rows.drop("_hw_row")
"""
COLUMNS = "k bigint, n bigint, u timestamp"


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("site")
    (folder / "headwater_test_silver_code.py").write_text(CODE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield folder


def spec(lake: Any, name: str) -> TableSpec:
    made: TableSpec = lake.spec("upsert", name=name, sequence_by="u")
    function = PythonFunction(python=f"headwater_test_silver_code:{name}")
    return made.model_copy(update={"transform": function, "columns": {"n": ColumnRule(expression="n + 1")}})


def test_a_function_makes_the_rows_and_those_it_leaves_out_are_not_of_the_table(lake: Any) -> None:
    """A later event that it leaves out ends its key, as with a WHERE in SQL."""
    day = "TIMESTAMP '2026-02-0{0} 00:00:00Z'".format
    names, orders = ("graded", "doubled", "displaced"), []
    for name in names:
        source = lake.bronze(1, COLUMNS, [f"1, 4, {day(1)}", f"2, 1, {day(1)}", f"3, -9, {day(1)}"], name)
        orders.append(lake.refine_spec(spec(lake, name), source))
    made, doubled, displaced = lake.refine_all(orders)
    assert made.error is None
    assert (doubled.status, "6 rows made of 3" in doubled.error_line) == ("failed", True)
    assert (displaced.status, "_hw_row is gone" in displaced.error_line) == ("failed", True)
    lake.refine(spec(lake, "graded"), lake.bronze(2, COLUMNS, [f"1, -5, {day(2)}"], "graded"))
    rows = lake.rows(lake.name(Layer.SILVER, "graded"), "NOT _hw_deleted", "k")
    assert [(row.k, row.n, row.grade, row.y) for row in rows] == [(2, 2, 20, 2026)]


def test_its_fixture_runs_it(lake: Any) -> None:
    bronze, silver = lake.name(Layer.BRONZE, "graded"), lake.name(Layer.SILVER, "graded")
    given = {bronze.dotted: ({"k": 1, "n": 4}, {"k": 2, "n": -4})}
    test = Fixture(name="grades", table=silver, given=given, expect=({"k": 1, "grade": 50, "y": 2000},), file="f.yml")
    order = PreflightTable(silver=spec(lake, "graded"), table=silver, fixtures=(test,))
    (result,) = lake.run(lake.job("preflight", 1, preflight=[order])).tables
    assert (result.status, result.differences) == ("green", ())
