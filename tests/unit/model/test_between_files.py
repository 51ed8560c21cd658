"""SQL that reads another pipeline's tables is checked against them, in every clause, with its line."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.model.repository import load_repository

TOTALS = "sql/gold/report/totals.sql"
TAIL = "SELECT day, 1 AS amount FROM c"
HEAD = "-- gold.shop.nothing, gold.shop.revenue\nSELECT r.day, r.amount\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x.day, 1 AS amount FROM\n\n  gold.shop.nothing AS x",
        HEAD + "FROM gold.shop.revenue AS r JOIN gold.shop.nothing AS n ON n.day = r.day",
        HEAD + "FROM gold.shop.revenue AS r WHERE r.day IN (SELECT day FROM gold.shop.nothing)",
        "WITH c AS (SELECT day FROM gold.shop.revenue\nUNION ALL\nSELECT day FROM gold.shop.nothing) " + TAIL,
        "SELECT r.day,\n\n(SELECT max(n.x) FROM gold.shop.nothing AS n) AS amount FROM gold.shop.revenue AS r",
        "WITH nothing AS (SELECT 1 AS day)\n\nSELECT n.day, 1 AS amount FROM gold.shop.nothing AS n",
    ],
)
def test_an_unknown_table_of_another_pipeline_is_refused_where_it_is_read(files: Any, sql: str) -> None:
    files.write({TOTALS: sql + "\n"})
    errors = [error for error in load_repository(files.root).errors if "no table" in error.message]
    assert [(error.got, str(error.where)) for error in errors] == [("gold.shop.nothing", f"{TOTALS}:3")]
    assert "gold.shop.revenue" in (errors[0].allowed or "")


@pytest.mark.parametrize(
    ("sql", "got"),
    [
        (HEAD + "FROM gold.shop.revenue AS r WHERE r.amout > 1", "r.amout"),
        (HEAD + "FROM gold.shop.revenue AS r GROUP BY r.day, r.amount ORDER BY r.dya", "r.dya"),
        (
            "WITH c AS (\n  SELECT day,\n  amout FROM gold.shop.revenue)\nSELECT c.day, c.amout AS amount FROM c",
            "amout",
        ),
    ],
)
def test_an_unknown_column_of_another_pipelines_gold_is_refused_where_it_is_read(
    files: Any, sql: str, got: str
) -> None:
    files.write({TOTALS: sql + "\n"})
    (error,) = load_repository(files.root).errors
    assert (error.got, str(error.where)) == (got, f"{TOTALS}:3")
    assert "did you mean" in (error.remedy or "")


def test_an_unknown_table_of_the_own_pipeline_is_refused(files: Any) -> None:
    files.write({"sql/gold/shop/revenue.sql": "SELECT o.day,\n  1 AS amount\nFROM silver.shop.ordres AS o\n"})
    errors = [error for error in load_repository(files.root).errors if error.got == "silver.shop.ordres"]
    assert str(errors[0].where) == "sql/gold/shop/revenue.sql:3"
    assert errors[0].remedy == "did you mean 'silver.shop.orders'?"


@pytest.mark.parametrize(
    ("checks", "line", "got"),
    [
        ("checks: [{row_count: {}}]\ncolumns:\n  - {name: day}\n  - {name: amuont}\n", 5, "'amuont'"),
        ("checks:\n  - duplicate:\n      columns: [day, amuont]\ncolumns: [{name: day}]\n", 4, "'amuont'"),
        (
            "checks: [{freshness: {column: amuont, threshold: {must_be_less_than: 1}}}]\ncolumns: [{name: day}]\n",
            2,
            "'amuont'",
        ),
    ],
)
def test_a_contract_names_columns_that_the_sql_makes(files: Any, checks: str, line: int, got: str) -> None:
    contract = "include/contracts/gold/shop/revenue.yml"
    files.write({contract: "dataset: lake/gold/shop__revenue\n" + checks})
    (error,) = load_repository(files.root).errors
    assert error.where is not None
    assert (error.got, error.where.file, error.where.line) == (got, contract, line)
    assert (error.allowed, error.remedy) == ("day, amount", "did you mean 'amount'?")
