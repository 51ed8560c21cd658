"""SQL files hold one SELECT that gives the same answer whenever it is repeated (rule 37)."""

from __future__ import annotations

import pytest

from headwater.domain.errors import SpecError
from headwater.domain.names import TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import ColumnRule, Silver, SqlExtract, TableSpec
from headwater.model.sql.expressions import columns_of, expression_fault
from headwater.model.sql.file import column_lineage, read_gold_sql, read_silver_sql
from headwater.model.sql.lineage import silver_lineage

BRONZE = TableName.parse("bronze.a.b")


@pytest.mark.parametrize(
    ("sql", "inputs", "columns"),
    [
        ("SELECT x FROM silver.a.b", ["silver.a.b"], ["x"]),
        ("FROM silver.a.b SELECT x", ["silver.a.b"], ["x"]),
        ("WITH c AS (SELECT x FROM silver.a.b) SELECT c.x FROM c JOIN gold.d.e AS e ON e.x = c.x",
         ["silver.a.b", "gold.d.e"], ["x"]),
        ("SELECT x FROM silver.a.b UNION ALL SELECT y FROM silver.a.c", ["silver.a.b", "silver.a.c"], ["x"]),
        ("SELECT x FROM silver.a.b WHERE y IN (SELECT y FROM gold.z.w)", ["silver.a.b", "gold.z.w"], ["x"]),
        ("SELECT :planned_at AS at, count(*) AS n FROM silver.a.b", ["silver.a.b"], ["at", "n"]),
        ("SELECT `current_date` AS d, t.now AS n FROM silver.a.b AS t", ["silver.a.b"], ["d", "n"]),
        ("SELECT 'now()' AS text -- rand()\nFROM silver.a.b", ["silver.a.b"], ["text"]),
        ("SELECT /*+ BROADCAST(c) */ b.x FROM silver.a.b AS b JOIN silver.a.c AS c ON c.x = b.x",
         ["silver.a.b", "silver.a.c"], ["x"]),
    ],
)  # fmt: skip
def test_inputs_and_columns_of_gold(sql: str, inputs: list[str], columns: list[str]) -> None:
    found = read_gold_sql(sql, "f.sql")
    assert sorted(table.dotted for table in found.inputs) == sorted(inputs)
    assert list(found.columns) == columns


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("SELECT x FROM silver.a.b; SELECT 1", 1, "exactly one SELECT"),
        ("DROP TABLE x", 1, "exactly one SELECT"),
        ("INSERT INTO silver.a.b SELECT 1 AS x", 1, "exactly one SELECT"),
        ("-- nothing", 1, "exactly one SELECT"),
        ("SELECT x,\n  now() AS n\nFROM silver.a.b", 2, "now gives another answer"),
        ("SELECT x,\n  CURRENT_DATE AS n\nFROM silver.a.b", 2, "current_date gives"),
        ("SELECT x, uuid() AS n FROM silver.a.b", 1, "uuid gives"),
        ("SELECT unix_timestamp() AS n FROM silver.a.b", 1, "unix_timestamp gives"),
        ("SELECT reflect('java.lang.System', 'exit', 1) AS n FROM silver.a.b", 1, "reflect gives"),
        ("SELECT x\nFROM {{ table }}", 2, "templates"),
        ("SELECT x\nFROM silver.a.b TABLESAMPLE (10 PERCENT)", None, "refused in SQL"),
        ("SELECT x FROM silver.a.b VERSION AS OF 3", 1, "refused in SQL"),
        ("SELECT :other AS x FROM silver.a.b", 1, "refused in SQL"),
        ("SELECT x\nFROM parquet.`/etc/passwd`", 2, "no table"),
        ("SELECT x FROM range(10)", 1, "no table"),
        ("SELECT x FROM b", 1, "no table"),
        ("SELECT x FROM lake.silver.a__b", 1, "may not be read"),
        ("SELECT x FROM bronze.a.b", 1, "may not be read"),
        ("SELECT 1 AS x", 1, "reads no table"),
        ("SELECT x,\n  x + 1\nFROM silver.a.b", 2, "has no name"),
        ("SELECT x, y AS X FROM silver.a.b", 1, "two columns"),
        ("SELECT *\nFROM silver.a.b", None, "name the columns"),
        ("SELECT x AS _hw_batch FROM silver.a.b", 1, "reserved"),
        ("SELECT (x FROM silver.a.b", 1, "not valid Spark SQL"),
        ("SELECT trim(x FROM silver.a.b", 1, "not valid Spark SQL"),
        ("SELECT 'x FROM silver.a.b", None, "not valid Spark SQL"),
    ],
)
def test_other_sql_is_refused_with_its_line(sql: str, line: int | None, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        read_gold_sql(sql, "f.sql")
    assert caught.value.where is not None
    assert caught.value.where.file == "f.sql"
    assert line is None or caught.value.where.line == line


@pytest.mark.parametrize("sql", ["SELECT *, x + 1 AS y FROM bronze.a.b", "SELECT upper(x) AS x FROM bronze.a.b AS t"])
def test_silver_sql_is_row_by_row(sql: str) -> None:
    assert read_silver_sql(sql, "f.sql", BRONZE).inputs == (BRONZE,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x FROM bronze.a.b WHERE x > 1",
        "SELECT count(*) AS n FROM bronze.a.b",
        "SELECT DISTINCT x FROM bronze.a.b",
        "SELECT x FROM bronze.a.b GROUP BY x",
        "SELECT x FROM bronze.a.b LIMIT 3",
        "SELECT explode(x) AS y FROM bronze.a.b",
        "SELECT stack(2, 1, 2) AS y FROM bronze.a.b",
        "SELECT x FROM bronze.a.b UNION ALL SELECT x FROM bronze.a.b",
        "SELECT t.x FROM bronze.a.b AS t JOIN bronze.a.b AS u ON t.x = u.x",
        "SELECT rank() OVER (ORDER BY x) AS r FROM bronze.a.b",
        "SELECT x FROM bronze.a.c",
        "SELECT x FROM silver.a.b",
        "SELECT x, :planned_at AS t FROM bronze.a.b",
    ],
)
def test_silver_sql_that_loses_doubles_or_joins_rows_is_refused(sql: str) -> None:
    with pytest.raises(SpecError):
        read_silver_sql(sql, "f.sql", BRONZE)


@pytest.mark.parametrize("text", ["upper(trim(x))", "a > 1 AND b < 2", "x = 'a -- b'", "(t - 32) * 5 / 9", "s.field"])
def test_expressions_over_one_row_are_taken(text: str) -> None:
    assert expression_fault(text) is None


@pytest.mark.parametrize(
    "text",
    ["a, b", "a FROM x", "1) OR (1=1", "a -- x", "a; DROP TABLE x", "sum(a)", "now()", "a AS b", "(SELECT 1)", "*", "",
     "a ORDER BY 1", "a /* x */ + 1", "rank() OVER (ORDER BY a)", "explode(a)", "trim(a", ":planned_at"],
)  # fmt: skip
def test_other_expressions_are_refused(text: str) -> None:
    assert expression_fault(text) is not None


def test_columns_of_an_expression_are_in_order_and_without_fields() -> None:
    assert columns_of("concat(b, s.field, a, b)") == ("b", "s", "a")


def test_lineage_goes_through_case_join_window_and_cte() -> None:
    sql = """
      WITH d AS (SELECT o.day, o.shop, sum(o.amount) AS amount FROM silver.a.orders AS o GROUP BY o.day, o.shop)
      SELECT
        d.day,
        CASE WHEN s.closed THEN 0 ELSE d.amount END AS open_amount,
        rank() OVER (PARTITION BY d.day ORDER BY d.amount DESC) AS place,
        (SELECT max(t.rate) FROM silver.b.rates AS t) AS rate,
        count(*) AS rows
      FROM d JOIN silver.a.shops AS s ON s.id = d.shop
      GROUP BY ALL
    """
    found = {column.column: column.inputs for column in column_lineage(sql)}
    assert found == {
        "day": (("silver.a.orders", "day"),),
        "open_amount": (("silver.a.orders", "amount"), ("silver.a.shops", "closed")),
        "place": (("silver.a.orders", "amount"), ("silver.a.orders", "day")),
        "rate": (("silver.b.rates", "rate"),),
        "rows": (),
    }


def test_lineage_goes_through_a_named_window() -> None:
    sql = "SELECT sum(v) OVER (w ROWS 3 PRECEDING) AS s FROM silver.a.b WINDOW w AS (PARTITION BY k ORDER BY t)"
    inputs = tuple(("silver.a.b", name) for name in ("k", "t", "v"))
    assert [column.inputs for column in column_lineage(sql)] == [inputs]


def test_schemas_resolve_columns_written_without_their_table_and_keep_their_case() -> None:
    schemas = {
        "silver.a.b": TableSchema(columns=(Column(name="Id", type="long"), Column(name="x", type="long"))),
        "silver.a.c": TableSchema(columns=(Column(name="ref", type="long"), Column(name="y", type="long"))),
    }
    found = column_lineage("SELECT id AS k, y FROM silver.a.b JOIN silver.a.c ON id = ref", schemas)
    assert [(column.column, column.inputs) for column in found] == [
        ("k", (("silver.a.b", "Id"),)),
        ("y", (("silver.a.c", "y"),)),
    ]


def test_lineage_names_quoted_columns_as_they_are_called() -> None:
    sql = 'SELECT t.`a.b` AS x, `select` AS y, `1 "a``` AS z, t.s.`c.d` AS w FROM silver.a.b AS t'
    found = {column.column: column.inputs for column in column_lineage(sql)}
    assert {name: [column for _, column in inputs] for name, inputs in found.items()} == {
        "x": ["a.b"],
        "y": ["select"],
        "z": ['1 "a`'],
        "w": ["s"],
    }
    schemas = {"silver.a.b": TableSchema(columns=(Column(name="A.b", type="long"), Column(name="b", type="long")))}
    (dotted,) = column_lineage("SELECT `a.b` AS x FROM silver.a.b", schemas)
    assert dotted.inputs == (("silver.a.b", "A.b"),)


def test_lineage_of_silver_follows_renames_and_expressions() -> None:
    table = TableSpec(
        name="b",
        key=("id",),
        extract=SqlExtract(),
        silver=Silver(mode="scd2"),
        columns={
            "temp": ColumnRule(rename="temp_c", expression="(temp - offset) * 5 / 9"),
            "made": ColumnRule(expression="concat(id, temp)"),
        },
    )
    found = silver_lineage("a", table, ["id", "temp", "offset", "_hw_batch"])
    assert [(column.column, [name for _, name in column.inputs]) for column in found] == [
        ("id", ["id"]),
        ("temp_c", ["temp", "offset"]),
        ("offset", ["offset"]),
        ("made", ["id", "temp"]),
    ]
    assert {table for column in found for table, _ in column.inputs} == {"bronze.a.b"}
