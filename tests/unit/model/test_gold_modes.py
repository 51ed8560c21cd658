"""Modes of gold that do not fit their SQL are refused, or said to make all anew (rule 38)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.spec import GoldSpec
from headwater.model.gold_modes import route
from headwater.model.repository import load_repository

YAML, SQL = "dags/sources/shop.yaml", "sql/gold/shop/revenue.sql"
ROWS = "SELECT o.day, o.amount\nFROM silver.shop.orders AS o\n"


def loaded(files: Any, mode: str, sql: str | None = None) -> Any:
    files.replace(YAML, "    grain: [day]\n", f"    grain: [day]\n    mode: {mode}\n")
    files.write({SQL: sql} if sql else {})
    return load_repository(files.root)


def test_merge_over_sql_that_can_be_followed_is_silent(files: Any) -> None:
    found = loaded(files, "merge")
    assert found.errors == ()
    assert not [warning for warning in found.warnings if "anew" in warning.message]


def test_merge_over_sql_that_cannot_be_followed_is_told_with_its_line(files: Any) -> None:
    found = loaded(files, "merge", ROWS.replace("o.amount", "sum(o.amount) OVER (ORDER BY o.day) AS amount"))
    assert found.errors == ()
    (told,) = (warning for warning in found.warnings if "anew" in warning.message)
    assert "window function" in str(told.got)
    assert (told.where.file, told.where.line) == (
        YAML,
        (files.root / YAML).read_text().split("\n").index("    mode: merge") + 1,
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (None, "new input rows alone do not give the new rows of this SQL"),
        (ROWS, "rows of silver.shop.orders change after they came"),
    ],
)
def test_append_is_refused_where_it_would_be_wrong(files: Any, sql: str | None, message: str) -> None:
    (error,) = (error for error in loaded(files, "append", sql).errors)
    assert error.message == message
    assert error.where.line is not None


def test_append_over_rows_that_only_come_is_fine(files: Any) -> None:
    files.replace(YAML, "{mode: upsert, sequence_by: updated_at}", "{mode: append}")
    files.replace(YAML, ", deleted_column: gone", "")
    assert loaded(files, "append", ROWS).errors == ()


def test_the_plan_says_how_each_table_is_built() -> None:
    spec = GoldSpec(name="t", grain=("g",), sql="SELECT g, rank() OVER (ORDER BY g) AS r FROM silver.a.b")
    assert route(spec) == "made anew"
    assert route(spec.model_copy(update={"mode": "merge"})).startswith("merge, always made anew: it has a window")
    assert route(spec.model_copy(update={"mode": "merge", "sql": "SELECT g FROM silver.a.b"})) == "merge"


def test_tables_that_read_one_another_in_a_circle_are_refused(files: Any) -> None:
    """Also a table that reads itself: what it holds would depend on how often it was built."""
    files.write({SQL: "SELECT r.day, r.amount FROM gold.shop.revenue AS r\n"})
    (error,) = (e for e in load_repository(files.root).errors if "circle" in e.message)
    assert error.got == "revenue"
    assert error.where is not None
    assert error.where.file == YAML
