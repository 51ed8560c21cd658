"""Fixtures run through the transforms' own code, and say which rows differ."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.job import Fixture, PreflightTable, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import ColumnRule, FilesExtract, GoldSpec, Silver, TableSpec

AGES = """\
SELECT o.day, count(*) AS orders, max(datediff(CAST(:planned_at AS DATE), o.day)) AS age, max(c.name) AS name
FROM silver.shop.orders AS o LEFT JOIN silver.shop.customers AS c ON c.id = o.customer GROUP BY o.day
"""
ORDERS, CUSTOMERS = "silver.shop.orders", "silver.shop.customers"
GREEN, RED, ABSENT, SILVER, BLIND = (
    TableName(layer=Layer.SILVER if name == "seen" else Layer.GOLD, source="shop", table=name)
    for name in ("green", "red", "absent", "seen", "blind")
)


def _fixture(table: TableName, expect: Any, given: Any, **more: Any) -> Fixture:
    return Fixture(name="a rule", table=table, given=given, expect=expect, file="f.yml", line=7, **more)


def _gold(table: TableName, *fixtures: Fixture) -> PreflightTable:
    return PreflightTable(gold=GoldSpec(name=table.table, grain=("day",), sql=AGES), table=table, fixtures=fixtures)


@pytest.fixture(scope="module")
def results(shared_lake: Any) -> dict[TableName, TableResult]:
    orders = ({"day": "2026-03-30", "customer": 1}, {"day": "2026-03-31", "customer": None})
    both = {ORDERS: orders, CUSTOMERS: ({"id": 1, "name": "Ann"},)}
    nobody = {ORDERS: orders[:1], CUSTOMERS: ()}
    at = {"planned_at": datetime(2026, 4, 1, tzinfo=UTC)}
    first = {"day": "2026-03-30", "orders": 1, "age": 2, "name": "Ann"}
    second = {"day": "2026-03-31", "orders": 1, "age": 1, "name": None}
    landing = FilesExtract(path="in", columns={"temp": "double", "zip": "string", "unused": "date"})
    seen = TableSpec(
        name="seen",
        extract=landing,
        silver=Silver(mode="append"),
        columns={"temp": ColumnRule(expression="temp / 2"), "zip": ColumnRule(rename="code")},
    )
    nameless = first | {"name": None}
    tables = (
        _gold(GREEN, _fixture(GREEN, (second, first), both, **at), _fixture(GREEN, (nameless,), nobody, **at)),
        _gold(RED, _fixture(RED, (first, second | {"age": 9}), both, **at), _fixture(RED, (first,), both)),
        _gold(ABSENT, _fixture(ABSENT, ({"dya": 1},), both)),
        _gold(BLIND, _fixture(BLIND, (), {ORDERS: (), CUSTOMERS: ()})),
        PreflightTable(
            silver=seen,
            table=SILVER,
            schemas={"bronze.shop.seen": landing.columns},
            fixtures=(
                _fixture(
                    SILVER,
                    ({"temp": 0.5, "code": "01"}, {"temp": None, "code": ""}),
                    {"bronze.shop.seen": ({"temp": 1, "zip": "01"}, {"temp": None, "zip": ""})},
                ),
            ),
        ),
    )
    job = shared_lake.job("preflight", 1, preflight=tables)
    return {result.table: result for result in shared_lake.run(job).tables}


def test_a_fixture_is_green_whatever_the_order_of_its_rows(results: Any) -> None:
    """NULLs, the fixture's own clock, and an input without rows whose columns another test of the table tells."""
    assert (results[GREEN].status, results[GREEN].error) == ("green", None)


def test_red_names_the_values_that_differ_and_all_other_rows(results: Any) -> None:
    red = results[RED]
    assert red.status == "red"
    wrong = [item for item in red.row_differences if item.columns == ("age",)]
    assert wrong[0].text == (
        "f.yml:7: a rule: age is '1' instead of '9' in the row day='2026-03-31', orders='1', name=NULL"
    )
    assert len(red.differences) == len(red.row_differences) == 3
    assert red.facts["count"] == "3"


def test_without_a_clock_of_its_own_a_fixture_is_planned_at_the_same_instant_ever(results: Any) -> None:
    paired = next(item for item in results[RED].row_differences if item.made and item.made["age"] == "-9585")
    assert paired.expected is not None
    assert paired.columns == ("age",)


def test_a_column_that_is_not_made_is_named_with_those_that_are(results: Any) -> None:
    assert results[ABSENT].status == "failed"
    assert "no column dya" in results[ABSENT].error_line
    assert "day, orders, age, name" in results[ABSENT].told


def test_declared_types_of_a_landing_are_those_of_the_rows_given(results: Any) -> None:
    assert (results[SILVER].status, results[SILVER].error) == ("green", None)


def test_an_input_nothing_tells_the_columns_of_is_said(results: Any) -> None:
    assert results[BLIND].status == "failed"
    assert "nothing tells the columns of silver.shop.orders" in results[BLIND].error_line
