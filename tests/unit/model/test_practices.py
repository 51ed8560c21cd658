"""What the check objects to, with its reason and place, and how a YAML accepts it."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.model.practices import PRACTICES
from headwater.model.repository import load_repository
from headwater.model.sql.practices import sql_practices

HISTORY = "silver.shop.customers"
SHOP, REVENUE = "dags/sources/shop.yaml", "sql/gold/shop/revenue.sql"
REASON = "because: the table is small and this was agreed"


def _places(sql: str) -> list[tuple[str, int | None]]:
    return sorted({(practice, line) for practice, line, _ in sql_practices(sql, "f.sql", {HISTORY})})


@pytest.mark.parametrize(
    ("sql", "practice", "line"),
    [
        ("SELECT *\nFROM silver.a.b", "select_star", 1),
        ("SELECT b.x,\n  b.*\nFROM silver.a.b AS b", "select_star", 2),
        ("SELECT x,\n* FROM silver.a.b", "select_star", 2),
        ("WITH c AS (\nSELECT * FROM silver.a.b) SELECT c.x FROM c", "select_star", 2),
        ("SELECT * EXCEPT (y) FROM silver.a.b", "select_star", 1),
        ("SELECT count(*) AS n,\nto_json(struct(*)) AS j FROM silver.a.b", "select_star", 2),
        ("SELECT a.x FROM silver.a.a AS a\nCROSS JOIN silver.a.b AS b", "cross_join", 2),
        ("SELECT a.x FROM silver.a.a AS a,\nsilver.a.b AS b", "cross_join", 2),
        ("SELECT a.x FROM silver.a.a AS a,\nsilver.a.b AS b WHERE a.y > 1 AND a.z = a.y", "cross_join", 2),
        ("SELECT a.x FROM silver.a.a AS a\nJOIN silver.a.b AS b ON true", "cross_join", 2),
        ("SELECT a.x FROM silver.a.a AS a\nLEFT JOIN silver.a.b AS b ON b.y = 1", "cross_join", 2),
        ("SELECT a.x FROM silver.a.a AS a\nJOIN silver.a.b AS b", "cross_join", 2),
        ("SELECT a.x FROM silver.a.a AS a\nJOIN silver.a.b AS b ON a.y = 1 AND b.y = 1", "cross_join", 2),
        (
            "SELECT a.x FROM silver.a.a AS a, silver.a.b AS b,\nsilver.a.c AS c WHERE a.y = b.y AND c.y = 1",
            "cross_join",
            2,
        ),
        ("SELECT row_number() OVER w AS f\nFROM silver.a.b WINDOW w AS (PARTITION BY x)", "non_deterministic", 1),
        ("SELECT day,\nfirst(x) AS f FROM silver.a.b GROUP BY day", "non_deterministic", 2),
        ("SELECT day,\nlast_value(x) IGNORE NULLS AS f FROM silver.a.b GROUP BY day", "non_deterministic", 2),
        ("SELECT any_value(x) AS f FROM silver.a.b", "non_deterministic", 1),
        ("SELECT collect_list(x) AS f FROM silver.a.b", "non_deterministic", 1),
        ("SELECT row_number() OVER (PARTITION BY x) AS f FROM silver.a.b", "non_deterministic", 1),
        ("SELECT x\nFROM silver.a.b\nLIMIT 10", "non_deterministic", 1),
        ("SELECT x\nFROM silver.a.b\nOFFSET 10", "non_deterministic", 1),
        ("SELECT sum(x) OVER (PARTITION BY y ROWS 2 PRECEDING) AS f FROM silver.a.b", "non_deterministic", 1),
        ("SELECT x FROM (\nSELECT x FROM silver.a.b LIMIT 1) AS s ORDER BY x LIMIT 1", "non_deterministic", 2),
        (f"SELECT o.x FROM silver.a.b AS o\nJOIN {HISTORY} AS c ON c.id = o.c", "unbounded_history", 2),
        (f"SELECT id\nFROM {HISTORY}", "unbounded_history", 2),
        (
            f"SELECT o.x FROM silver.a.b AS o\nJOIN {HISTORY} AS c ON c.id = o.c AND o.t < c.valid_to",
            "unbounded_history",
            2,
        ),
        (f"SELECT c.is_current\nFROM {HISTORY} AS c", "unbounded_history", 2),
        (
            f"SELECT c.id FROM {HISTORY} AS c\nJOIN {HISTORY} AS d ON d.id = c.id AND d.is_current",
            "unbounded_history",
            1,
        ),
    ],
)
def test_a_doubtful_place_is_named_with_its_line(sql: str, practice: str, line: int) -> None:
    assert _places(sql) == [(practice, line)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS n, sum(a * b) AS s, 2 * 3 AS six FROM silver.a.b",
        "SELECT a.x FROM silver.a.a AS a JOIN silver.a.b AS b ON a.id = b.id AND b.y = 1",
        "SELECT a.x FROM silver.a.a AS a JOIN silver.a.b AS b USING (id)",
        "SELECT a.x FROM silver.a.a AS a, silver.a.b AS b WHERE a.id = b.id",
        "SELECT x FROM silver.a.a JOIN silver.a.b ON p = q",
        "SELECT a.x FROM silver.a.a AS a NATURAL JOIN silver.a.b AS b",
        "SELECT a.x FROM silver.a.a AS a JOIN silver.a.b AS b ON (a.id = b.id OR a.p = b.p) AND b.y = 1",
        "SELECT x.v AS v FROM silver.a.a LATERAL VIEW explode(arr) x AS v",
        "SELECT o.x, v.y FROM silver.a.a AS o CROSS JOIN LATERAL (SELECT o.x + 1 AS y) AS v",
        "SELECT v.x FROM silver.a.a AS a JOIN (VALUES (1), (2)) AS v(x) ON v.x = a.x",
        "SELECT row_number() OVER (PARTITION BY x ORDER BY y) AS f FROM silver.a.b",
        "SELECT first_value(y) OVER w AS f FROM silver.a.b WINDOW w AS (PARTITION BY x ORDER BY y)",
        "SELECT lag(y) OVER (ORDER BY y) AS f FROM silver.a.b",
        "SELECT sort_array(collect_set(x)) AS f, array_sort(collect_list(x)) AS g FROM silver.a.b",
        "SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) AS f FROM silver.a.b",
        "SELECT x FROM silver.a.b ORDER BY x LIMIT 10",
        "SELECT mode(x, true) AS f FROM silver.a.b",
        "SELECT sum(x) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS f FROM silver.a.b",
        "SELECT max_by(x, y) AS f, min(x) AS g, percentile_approx(x, 0.5) AS h FROM silver.a.b",
        f"SELECT o.x FROM silver.a.b AS o LEFT JOIN {HISTORY} AS c ON c.id = o.c AND c.is_current",
        f"SELECT c.id FROM {HISTORY} AS C WHERE c.is_current",
        f"SELECT o.x FROM silver.a.b AS o JOIN {HISTORY} AS c ON c.id = o.c AND c.batch_in < o.t AND o.t < c.valid_to",
        f"SELECT o.x FROM silver.a.b AS o JOIN {HISTORY} AS c ON c.id = o.c WHERE c.batch_out IS NULL",
        f"WITH c AS (SELECT id FROM {HISTORY} WHERE is_current) SELECT c.id FROM c",
        f"SELECT o.x FROM silver.a.b AS o WHERE EXISTS (SELECT 1 FROM {HISTORY} AS c WHERE c.id = o.c AND is_current)",
    ],
)  # fmt: skip
def test_nothing_sound_is_objected_to(sql: str) -> None:
    assert _places(sql) == []


def _findings(files: Any) -> tuple[list[Any], list[Any]]:
    found = load_repository(files.root, practices=True)
    return list(found.errors), list(found.warnings)


def _described(files: Any) -> None:
    files.write({SHOP: DESCRIBED_SHOP})
    files.replace("dags/products/report.yaml", "    grain: [day]\n", "    description: Days.\n    grain: [day]\n")


DESCRIBED_SHOP = """\
description: Orders of the shop.
owner: {team: sales, email: [sales@example.com]}
schedule: {every: 1d}
connection: shop_db
extract: {kind: sql, mode: snapshot}
tables:
  orders:
    description: An order.
    key: [id]
    extract: {mode: incremental, cursor: updated_at, lag: 2h, deleted_column: gone}
    silver: {mode: upsert, sequence_by: updated_at}
    columns:
      note: {expression: "trim(note)"}
  customers:
    description: A customer.
    key: [id]
    silver: {mode: scd2}
gold:
  revenue:
    description: A day.
    grain: [day]
"""
CROSSED = """\
SELECT o.day, sum(o.amount) AS amount
FROM silver.shop.orders AS o
CROSS JOIN silver.shop.orders AS p
GROUP BY o.day
"""


def test_findings_say_why_where_and_how_to_accept_them(files: Any) -> None:
    _described(files)
    files.write({REVENUE: CROSSED})
    (error,), warnings = _findings(files)
    assert warnings == []
    assert (error.where.file, error.where.line) == (REVENUE, 3)
    assert PRACTICES["cross_join"].reason in error.message
    assert "gold.revenue.accept: [{practice: cross_join, because: …}]" in error.remedy
    assert load_repository(files.root, practices=True).pipeline("shop") is not None, "a practice stops no run"


def test_an_accepted_practice_is_silent(files: Any) -> None:
    _described(files)
    files.write({REVENUE: CROSSED})
    accept = f"    grain: [day]\n    accept: [{{practice: cross_join, {REASON}}}]\n"
    files.replace(SHOP, "    grain: [day]\n", accept)
    assert _findings(files) == ([], [])


@pytest.mark.parametrize(
    ("accept", "message"),
    [
        (f"[{{practice: cross_join, {REASON}}}]", "nobody needs"),
        (f"[{{practice: crossjoin, {REASON}}}]", "should be"),
        ("[{practice: cross_join}]", "'because' is missing"),
        ("[{practice: cross_join, because: ok}]", "at least 10"),
        ("[{practice: cross_join, because: '                '}]", "at least 10"),
        (f"[{{practice: cross_join, {REASON}, until: never}}]", "unknown key"),
    ],
)
def test_an_unknown_or_unused_acceptance_is_refused(files: Any, accept: str, message: str) -> None:
    _described(files)
    files.replace(SHOP, "    grain: [day]\n", f"    grain: [day]\n    accept: {accept}\n")
    errors, _ = _findings(files)
    assert message in errors[0].message
    assert errors[0].where.line == 22


def test_an_acceptance_written_twice_is_refused(files: Any) -> None:
    _described(files)
    files.write({REVENUE: CROSSED})
    entry = f"{{practice: cross_join, {REASON}}}"
    files.replace(SHOP, "    grain: [day]\n", f"    grain: [day]\n    accept: [{entry}, {entry}]\n")
    errors, _ = _findings(files)
    assert [error.message for error in errors] == ["this practice is accepted twice"]


def test_a_gold_table_without_a_grain_has_to_be_meant(files: Any) -> None:
    _described(files)
    files.replace(SHOP, "    grain: [day]\n", "    mode: rebuild\n")
    (error,), _ = _findings(files)
    assert (error.facts["practice"], error.where.line, error.where.key) == ("missing_grain", 19, "gold.revenue")
    files.replace(SHOP, "    mode: rebuild\n", f"    accept: [{{practice: missing_grain, {REASON}}}]\n")
    assert _findings(files) == ([], [])
    files.replace(SHOP, "    accept: [", "    mode: merge\n    accept: [")
    errors, _ = _findings(files)
    assert "mode merge needs a grain" in errors[0].message


def test_tables_without_a_description_and_deletes_nobody_sees_are_warnings(files: Any) -> None:
    files.replace(SHOP, ", deleted_column: gone", "")
    files.replace(SHOP, "    grain: [day]\n", "    description: '  '\n    grain: [day]\n")
    errors, warnings = _findings(files)
    assert errors == []
    assert sorted((item.facts["practice"], item.where.key) for item in warnings) == [
        ("invisible_deletes", "tables.orders.extract.mode"),
        ("no_description", "gold.revenue"),
        ("no_description", "gold.totals"),
        ("no_description", "tables.customers"),
        ("no_description", "tables.orders"),
    ]


def test_an_acceptance_changes_nothing_that_is_run(files: Any) -> None:
    before = load_repository(files.root).pipeline("shop")
    accept = f"    grain: [day]\n    accept: [{{practice: no_description, {REASON}}}]\n"
    files.replace(SHOP, "    grain: [day]\n", accept)
    assert load_repository(files.root).pipeline("shop") == before
