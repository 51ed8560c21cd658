"""What a change of a table or column reaches, through every SQL file."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.names import TableName
from headwater.model.impact import readers
from headwater.model.repository import load_repository
from headwater.model.sql.reads import columns_read

SCHEMAS = {"silver.w.o": ("a", "b", "t"), "gold.w.g": ("day", "n")}


def _read(sql: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for item in columns_read(sql, SCHEMAS):
        name = f"{item.table}.{item.column}"
        found[name] = found.get(name, False) or item.decides_rows
    return found


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("SELECT o.a AS x FROM silver.w.o AS o", {"silver.w.o.a": False}),
        ("SELECT 1 AS x FROM silver.w.o AS o WHERE o.a > 1", {"silver.w.o.a": True}),
        ("SELECT a FROM silver.w.o JOIN gold.w.g ON t = day", {"silver.w.o.a": False, "silver.w.o.t": True,
                                                               "gold.w.g.day": True}),
        ("SELECT count(*) AS n FROM silver.w.o GROUP BY b", {"silver.w.o.b": True}),
        ("WITH c AS (SELECT a AS q FROM silver.w.o) SELECT c.q FROM c", {"silver.w.o.a": False}),
        ("SELECT g.n FROM gold.w.g AS g WHERE EXISTS (SELECT 1 FROM silver.w.o WHERE a = n)",
         {"gold.w.g.n": True, "silver.w.o.a": True}),
        ("SELECT o.a, x.z FROM silver.w.o AS o JOIN silver.u.x AS x USING (k)",
         {"silver.w.o.a": False, "silver.w.o.k": True, "silver.u.x.z": False, "silver.u.x.k": True}),
        ("SELECT z FROM silver.u.x AS x JOIN silver.w.o AS o ON o.a = x.i",
         {"silver.u.x.z": False, "silver.w.o.a": True, "silver.u.x.i": True}),
        ("WITH c AS (SELECT a, b FROM silver.w.o) SELECT a FROM c WHERE b > 0",
         {"silver.w.o.a": False, "silver.w.o.b": True}),
        ("WITH c(p, q) AS (SELECT a, b FROM silver.w.o) SELECT p FROM c WHERE q > 0",
         {"silver.w.o.a": False, "silver.w.o.b": True}),
        ("WITH c AS (SELECT * FROM silver.w.o), d AS (SELECT * FROM c) SELECT a FROM d GROUP BY a, t",
         {"silver.w.o.a": True, "silver.w.o.b": False, "silver.w.o.t": True}),
        ("WITH c AS (SELECT x.* FROM silver.u.x AS x) SELECT q FROM c WHERE r > 0",
         {"silver.u.x.*": False, "silver.u.x.r": True}),
        ("WITH c AS (SELECT a, b FROM silver.w.o UNION ALL SELECT day, n FROM gold.w.g) SELECT a FROM c WHERE b > 0",
         {"silver.w.o.a": False, "silver.w.o.b": True, "gold.w.g.day": False, "gold.w.g.n": True}),
        ("SELECT g.n FROM gold.w.g AS g JOIN (SELECT a, b, t FROM silver.w.o) AS d ON d.b = g.day",
         {"gold.w.g.n": False, "gold.w.g.day": True, "silver.w.o.a": False, "silver.w.o.b": True,
          "silver.w.o.t": False}),
        ("SELECT o.a FROM silver.w.o AS o LATERAL VIEW explode(o.b) AS tag", {"silver.w.o.a": False,
                                                                              "silver.w.o.b": True}),
        ("SELECT a, explode(b) AS tag FROM silver.w.o", {"silver.w.o.a": False, "silver.w.o.b": True}),
        ("SELECT DISTINCT a FROM silver.w.o", {"silver.w.o.a": True}),
        ("SELECT a FROM silver.w.o UNION SELECT day FROM gold.w.g", {"silver.w.o.a": True, "gold.w.g.day": True}),
        ("SELECT a, count(*) AS n FROM silver.w.o GROUP BY 1", {"silver.w.o.a": True}),
        ("SELECT upper(a) AS up, sum(b) AS s FROM silver.w.o GROUP BY up", {"silver.w.o.a": True,
                                                                            "silver.w.o.b": False}),
        ("SELECT a, sum(b) AS s FROM silver.w.o GROUP BY ALL", {"silver.w.o.a": True, "silver.w.o.b": False}),
        ("SELECT a FROM silver.w.o ORDER BY b LIMIT 3", {"silver.w.o.a": False, "silver.w.o.b": True}),
        ("SELECT a FROM silver.w.o ORDER BY b", {"silver.w.o.a": False, "silver.w.o.b": False}),
    ],
)  # fmt: skip
def test_every_column_read_is_found_and_whether_it_decides_rows(sql: str, read: dict[str, bool]) -> None:
    assert _read(sql) == read


def _reached(files: Any, table: str, column: str | None = None) -> dict[str, tuple[str, ...]]:
    found = load_repository(files.root)
    assert found.errors == ()
    return {item.table.dotted: item.columns for item in readers(found.pipelines, TableName.parse(table), column)}


def test_a_table_reaches_everything_downstream_over_pipelines(files: Any) -> None:
    found = load_repository(files.root)
    reached = readers(found.pipelines, TableName.parse("bronze.shop.orders"))
    assert [(item.table.dotted, item.pipeline, item.team, item.through) for item in reached] == [
        ("silver.shop.orders", "shop", "sales", ("bronze.shop.orders",)),
        ("gold.shop.revenue", "shop", "sales", ("silver.shop.orders",)),
        ("gold.report.totals", "report", "analytics", ("gold.shop.revenue",)),
    ]


def test_a_column_reaches_what_is_made_of_it_by_its_names_there(files: Any) -> None:
    assert _reached(files, "silver.shop.orders", "amount") == {
        "gold.shop.revenue": ("amount",), "gold.report.totals": ("amount",),
    }  # fmt: skip
    assert _reached(files, "bronze.shop.orders", "note") == {"silver.shop.orders": ("note",)}
    assert _reached(files, "silver.shop.customers", "id") == {}


def test_a_column_that_filters_joins_or_groups_reaches_whole_tables(files: Any) -> None:
    assert _reached(files, "silver.shop.orders", "day") == {"gold.shop.revenue": (), "gold.report.totals": ()}
    assert _reached(files, "bronze.shop.orders", "id") == {
        "silver.shop.orders": (), "gold.shop.revenue": (), "gold.report.totals": (),
    }  # fmt: skip
