"""Values of fixtures that are easily taken for others, or that no column can hold."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.job import Fixture, PreflightTable, TableResult
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec

INPUT = "silver.shop.items"
SQL = "SELECT grp, sum(v) AS total, array_sort(collect_list(name)) AS names FROM silver.shop.items GROUP BY grp"
NAMES = ("equal", "unlike", "misfit")


@pytest.fixture(scope="module")
def results(shared_lake: Any) -> dict[str, TableResult]:
    def table(name: str, given: Any, expect: Any) -> PreflightTable:
        dotted = TableName(layer=Layer.GOLD, source="shop", table=name)
        types = {INPUT: {"grp": "string", "v": "double", "name": "string"}}
        fixture = Fixture(
            name="a rule", table=dotted, given={INPUT: given}, expect=expect, file="f.yml", line=7, types=types
        )
        return PreflightTable(gold=GoldSpec(name=name, grain=("grp",), sql=SQL), table=dotted, fixtures=(fixture,))

    rows = [{"grp": "a", "v": v, "name": name} for v, name in ((0.1, "it's"), (0.2, "b"), (-0.30000000000000009, "a"))]
    rows += [{"grp": "", "v": "NaN", "name": ""}, {"grp": None, "v": "Infinity", "name": None}]
    equal: tuple[dict[str, Any], ...] = (
        {"grp": "a", "total": 0, "names": ["a", "b", "it's"]},
        {"grp": "", "total": "NaN", "names": [""]},
        {"grp": None, "total": "Infinity", "names": []},
    )
    unlike = tuple(row | {"total": "nothing"} if row["grp"] == "a" else row for row in equal)
    job = shared_lake.job(
        "preflight",
        1,
        preflight=(
            table("equal", tuple(rows), equal),
            table("unlike", tuple(rows), unlike),
            table("misfit", ({"grp": "a", "v": "one", "name": "x"},), equal),
        ),
    )
    return dict(zip(NAMES, shared_lake.run(job).tables, strict=True))


def test_what_is_left_of_zero_has_no_sign_and_lists_are_written_as_lists(results: Any) -> None:
    """NaN and infinity are values like others; NULL and an empty text are two groups."""
    assert (results["equal"].status, results["equal"].differences) == ("green", ())


def test_an_expected_value_that_no_row_can_hold_differs(results: Any) -> None:
    """It was told as a fault of the SQL."""
    (found,) = results["unlike"].row_differences
    assert (results["unlike"].status, found.columns) == ("red", ("total",))
    assert (found.expected["total"], found.made["total"]) == ("nothing", "0.0")


def test_a_given_value_that_its_type_cannot_take_is_named_with_its_place(results: Any) -> None:
    assert results["misfit"].status == "failed"
    assert "f.yml:7: a rule: silver.shop.items.v is given as 'one', which is no double" in results["misfit"].error_line
