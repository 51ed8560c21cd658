"""What SQL may read is refused in the pull request wherever the files tell that it is not there."""

from __future__ import annotations

import pytest

from headwater.domain.names import TableName
from headwater.domain.spec import (
    ColumnRule,
    FilesExtract,
    GoldSpec,
    Owner,
    Schedule,
    Silver,
    SourceSpec,
    SqlExtract,
    TableSpec,
)
from headwater.model.sql.columns import unknown_columns
from headwater.model.sql.known_columns import dotted_of, known_columns

SCHEMAS = {"silver.w.o": ("origin", "temp_c", "t", "s", "arr"), "gold.w.g": ("day", "n")}


@pytest.mark.parametrize(
    "sql",
    [
        (
            "SELECT date_trunc('DAY', t) AS d, timestampdiff(MINUTE, t, t) AS m, timestampadd(HOUR, 1, t) AS h, "
            "extract(day FROM t) AS x, dateadd(DAY, 1, t) AS y, datediff(DAY, t, t) AS z, date_add(t, 1) AS q, cast(t "
            "AS date) AS w, interval 1 hour AS i, t + INTERVAL '1' DAY AS j, date_diff(HOUR,t,t) AS aa, "
            "date_part('hour', t) AS dp, trunc(t, 'MM') AS tr FROM silver.w.o"
        ),
        "SELECT s.field AS f, s.a.b AS g, o.s.x AS h FROM silver.w.o AS o",
        (
            "SELECT transform(arr, x -> x + 1) AS a, filter(arr, (x, i) -> x > i) AS b, aggregate(arr, 0, (acc, x) -> "
            "acc + x) AS c FROM silver.w.o"
        ),
        "SELECT temp_c AS a, a + 1 AS b FROM silver.w.o GROUP BY ALL HAVING b > 1 ORDER BY b",
        "SELECT x.v AS v FROM silver.w.o LATERAL VIEW explode(arr) x AS v",
        "SELECT v FROM silver.w.o LATERAL VIEW explode(arr) x AS v",
        "WITH c AS (SELECT temp_c AS q FROM silver.w.o) SELECT q FROM c JOIN gold.w.g AS g ON g.n = c.q",
        (
            "SELECT o.temp_c, (SELECT max(g.n) FROM gold.w.g AS g WHERE g.day = o.t) AS m FROM silver.w.o AS o WHERE "
            "EXISTS (SELECT 1 FROM gold.w.g WHERE n = temp_c)"
        ),
        (
            "SELECT count(*) AS n, count(DISTINCT origin) AS d, max_by(temp_c, t) AS e, first(temp_c) IGNORE NULLS AS "
            "f, named_struct('a', t) AS st, struct(temp_c AS zz) AS sx FROM silver.w.o GROUP BY origin"
        ),
        "SELECT rank() OVER w AS r FROM silver.w.o WINDOW w AS (PARTITION BY origin ORDER BY t)",
        "SELECT TEMP_C AS x, _hw_batch AS b, O.t FROM silver.w.o o",
        "SELECT a, b FROM silver.w.o AS t(a, b, c, d, e)",
        "SELECT origin, n FROM silver.w.o JOIN gold.w.g USING (day)",
        "SELECT * FROM (SELECT origin, temp_c FROM silver.w.o) PIVOT (max(temp_c) FOR origin IN ('A','B'))",
        "SELECT anything FROM silver.other.x JOIN silver.w.o AS o",
        "SELECT origin FROM silver.w.o UNION ALL SELECT day FROM gold.w.g ORDER BY origin",
        "SELECT u.k AS k FROM silver.w.o, LATERAL (SELECT temp_c + 1 AS k) AS u",
        (
            "SELECT origin, sum(temp_c) FILTER (WHERE temp_c > 0) AS s2 FROM silver.w.o GROUP BY GROUPING SETS "
            "((origin), ())"
        ),
        "SELECT stack.a FROM silver.w.o LATERAL VIEW OUTER posexplode(arr) stack AS p, a",
        "SELECT DISTINCT origin FROM silver.w.o QUALIFY row_number() OVER (ORDER BY temp_c) = 1",
        (
            "SELECT :planned_at AS at, from_json(s, 'a INT').a AS fj, TRUE AS b, NULL AS n, map('a', 1)['a'] AS mm "
            "FROM silver.w.o"
        ),
        "SELECT v.x AS x FROM silver.w.o JOIN (VALUES (1), (2)) AS v(x) ON v.x = temp_c",
        "SELECT col1 FROM silver.w.o CROSS JOIN (VALUES (1)) AS v",
    ],
)
def test_nothing_right_is_refused(sql: str) -> None:
    assert list(unknown_columns(sql, "f.sql", SCHEMAS)) == []


@pytest.mark.parametrize(
    ("sql", "got", "line", "remedy"),
    [
        ("SELECT o.temp AS x FROM silver.w.o AS o", "o.temp", 1, "did you mean 'temp_c'?"),
        ("SELECT origin\nFROM silver.w.o\nWHERE temperature > 1", "temperature", 3, None),
        ("WITH c AS (\n  SELECT nope AS q FROM silver.w.o)\nSELECT q FROM c", "nope", 2, None),
        ("SELECT a.x, o.oirgin AS y FROM silver.u.x AS a JOIN silver.w.o AS o ON a.i = o.t", "o.oirgin", 1,
         "did you mean 'origin'?"),
        ("SELECT g.n FROM gold.w.g AS g WHERE EXISTS (SELECT 1 FROM silver.w.o AS o WHERE o.x = g.n)", "o.x", 1, None),
    ],
)  # fmt: skip
def test_a_column_its_table_lacks_is_refused_once_with_its_line(
    sql: str, got: str, line: int, remedy: str | None
) -> None:
    (error,) = unknown_columns(sql, "f.sql", SCHEMAS)
    assert error.where is not None
    assert (error.got, error.where.file, error.where.line, error.remedy) == (got, "f.sql", line, remedy)


ANYWHERE = {
    "select": "SELECT\n nope FROM silver.w.o",
    "where": "SELECT origin FROM silver.w.o WHERE\n nope > 1",
    "join on": "SELECT o.origin FROM silver.w.o AS o JOIN gold.w.g AS g ON\n g.nope = o.t",
    "join using": "SELECT o.origin FROM silver.w.o AS o JOIN gold.w.g AS g USING (\n nope)",
    "group by": "SELECT count(*) AS n FROM silver.w.o GROUP BY\n nope",
    "having": "SELECT count(*) AS n FROM silver.w.o GROUP BY origin HAVING max(\n nope) > 1",
    "order by": "SELECT origin FROM silver.w.o ORDER BY\n nope",
    "window": "SELECT rank() OVER (PARTITION BY\n nope ORDER BY t) AS r FROM silver.w.o",
    "named window": "SELECT rank() OVER w AS r FROM silver.w.o WINDOW w AS (PARTITION BY\n nope ORDER BY t)",
    "qualify": "SELECT origin FROM silver.w.o QUALIFY row_number() OVER (ORDER BY\n nope) = 1",
    "case": "SELECT CASE WHEN\n nope THEN 1 END AS r FROM silver.w.o",
    "in a CTE": "WITH c AS (SELECT\n nope AS q FROM silver.w.o) SELECT c.q FROM c",
    "of a CTE": "WITH c AS (SELECT origin AS q FROM silver.w.o) SELECT\n c.nope FROM c",
    "of a CTE, bare": "WITH c AS (SELECT origin AS q FROM silver.w.o) SELECT\n nope FROM c",
    "of a CTE of a CTE": (
        "WITH a AS (SELECT origin FROM silver.w.o), b AS (SELECT\n a.nope AS q FROM a) SELECT b.q FROM b"
    ),
    "of a CTE with names": "WITH c(p) AS (SELECT origin FROM silver.w.o) SELECT\n c.nope FROM c",
    "in a subquery": "SELECT d.q FROM (SELECT\n nope AS q FROM silver.w.o) AS d",
    "of a subquery": "SELECT\n d.nope FROM (SELECT origin AS q FROM silver.w.o) AS d",
    "scalar subquery": "SELECT (SELECT max(\n nope) FROM gold.w.g) AS m FROM silver.w.o",
    "correlated": "SELECT origin FROM silver.w.o AS o WHERE EXISTS (SELECT 1 FROM gold.w.g AS g WHERE g.n =\n o.nope)",
    "correlated, bare": "SELECT origin FROM silver.w.o WHERE EXISTS (SELECT 1 FROM gold.w.g WHERE n =\n nope)",
    "in": "SELECT origin FROM silver.w.o WHERE t IN (SELECT\n nope FROM gold.w.g)",
    "union": "SELECT origin FROM silver.w.o UNION ALL SELECT\n nope FROM gold.w.g",
    "order of a union": "SELECT origin FROM silver.w.o UNION ALL SELECT day FROM gold.w.g ORDER BY\n nope",
    "no such alias": "SELECT\n nope.origin FROM silver.w.o AS o",
    "filter": "SELECT sum(temp_c) FILTER (WHERE\n nope > 0) AS s FROM silver.w.o",
}


@pytest.mark.parametrize("clause", ANYWHERE)
def test_an_unknown_column_is_found_in_every_clause_with_its_line(clause: str) -> None:
    (error,) = unknown_columns(ANYWHERE[clause], "f.sql", SCHEMAS)
    assert error.where is not None
    assert error.where.line == 2
    assert "nope" in (error.got or "")


@pytest.mark.parametrize("clause", ANYWHERE)
def test_the_same_clause_with_a_column_that_is_there_is_taken(clause: str) -> None:
    schemas = {"silver.w.o": (*SCHEMAS["silver.w.o"], "nope"), "gold.w.g": (*SCHEMAS["gold.w.g"], "nope")}
    sql = ANYWHERE[clause].replace("c.nope", "c.p" if "(p)" in ANYWHERE[clause] else "c.q").replace("d.nope", "d.q")
    if clause in {"of a CTE, bare", "of a CTE of a CTE"}:
        sql = sql.replace("AS q FROM silver", "AS nope FROM silver").replace("SELECT origin FROM", "SELECT nope FROM")
    if clause == "order of a union":
        sql = sql.replace("SELECT origin", "SELECT nope")
    if clause == "no such alias":
        schemas["silver.w.o"] = ("nope",)  # a column of type struct
    assert [str(error) for error in unknown_columns(sql, "f.sql", schemas)] == []


def test_columns_of_silver_sql_and_of_a_contract_with_a_schema_check_are_known() -> None:
    contract = "dataset: x\ncolumns: [{name: a}, {name: b}]\nchecks: [{schema: %s}]\n"
    landing = FilesExtract(path="in", columns={"p": "string"})
    tables = (
        TableSpec(name="named", extract=SqlExtract(), silver=Silver(mode="upsert"), sql="SELECT x FROM bronze.w.named"),
        TableSpec(
            name="star", extract=landing, silver=Silver(mode="append"), sql="SELECT *, 1 AS n FROM bronze.w.star"
        ),
        TableSpec(name="open", extract=SqlExtract(), silver=Silver(mode="upsert"), sql="SELECT * FROM bronze.w.open"),
        TableSpec(name="closed", extract=SqlExtract(), silver=Silver(mode="upsert")),
        TableSpec(name="loose", extract=SqlExtract(), silver=Silver(mode="upsert")),
    )
    spec = SourceSpec(
        name="w", file="w.yaml", description="d", owner=Owner(team="t"), schedule=Schedule(manual=True),
        connection="c", tables=tables,
        contracts={
            "silver.w.closed": contract % "{}", "silver.w.loose": contract % "{allow_extra_columns: true}",
        },
    )  # fmt: skip
    assert known_columns([spec]) == {
        "silver.w.named": ("x",), "silver.w.star": ("p", "n"), "silver.w.closed": ("a", "b"),
    }  # fmt: skip


def test_columns_of_landings_and_of_gold_are_known() -> None:
    landing = FilesExtract(path="in", columns={"origin": "string", "temp": "double"})
    rules = {"temp": ColumnRule(rename="temp_c"), "made": ColumnRule(expression="upper(origin)")}
    tables = (
        TableSpec(name="seen", extract=landing, silver=Silver(mode="append"), columns=rules),
        TableSpec(name="kept", extract=landing, silver=Silver(mode="scd2")),
        TableSpec(name="asked", extract=SqlExtract(), silver=Silver(mode="append")),
    )
    gold = GoldSpec(name="g", grain=("day",), sql="SELECT x AS day, count(*) AS n FROM silver.w.asked GROUP BY x")
    spec = SourceSpec(
        name="w", file="w.yaml", description="d", owner=Owner(team="t"), schedule=Schedule(manual=True),
        connection="c", tables=tables, gold=(gold,),
    )  # fmt: skip
    interval = ("valid_from", "valid_to", "is_current", "batch_in", "batch_out")
    assert known_columns([spec]) == {
        "gold.w.g": ("day", "n"),
        "silver.w.seen": ("origin", "temp_c", "made"),
        "silver.w.kept": ("origin", "temp", *interval),
    }


def test_only_names_of_the_lake_are_tables() -> None:
    assert dotted_of(("silver", "a", "b")) == TableName.parse("silver.a.b").dotted
    assert dotted_of(("cte",)) is None
