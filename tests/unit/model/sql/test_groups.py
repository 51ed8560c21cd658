"""From changed rows to groups: what is asked, and what SQL cannot be followed (rule 38). That the groups are the right
ones is shown over real histories in tests/spark/gold.
"""

from __future__ import annotations

import pytest

from headwater.model.sql.groups import group_queries, why_not_append

FACT, DIMENSION = "silver.s.fact", "silver.s.dim"
JOIN = f"FROM {FACT} AS f LEFT JOIN {DIMENSION} AS d ON d.k = f.k"


def only(sql: str, dotted: str, *grain: str) -> str:
    found = group_queries(sql, grain or ("g",))
    assert found.why_not == ""
    (query,) = found.queries[dotted]
    return query


def test_the_grain_is_asked_of_changed_rows() -> None:
    sql = f"SELECT upper(f.t) AS g, sum(f.v) AS v FROM {FACT} AS f WHERE f.v > 0 GROUP BY upper(f.t) ORDER BY v"
    assert only(sql, FACT) == "SELECT DISTINCT UPPER(f.t) AS `g` FROM changed.silver__s__fact AS f WHERE f.v > 0"


def test_every_input_of_a_join_contributes() -> None:
    """A changed row of an outer-joined table concerns the rows it meets, not every row there is."""
    sql = f"SELECT f.g, max(d.name) AS name {JOIN} WHERE d.name IS NULL GROUP BY f.g"
    assert only(sql, FACT) == (
        "SELECT DISTINCT f.g AS `g` FROM changed.silver__s__fact AS f LEFT JOIN silver.s.dim AS d ON d.k = f.k"
    )
    assert only(sql, DIMENSION) == (
        "SELECT DISTINCT f.g AS `g` FROM silver.s.fact AS f INNER JOIN changed.silver__s__dim AS d ON d.k = f.k"
    )


def test_a_table_read_twice_changes_at_either_place() -> None:
    sql = f"SELECT a.g, count(*) AS n FROM {FACT} AS a JOIN {FACT} AS b ON b.parent = a.id GROUP BY a.g"
    first, second = group_queries(sql, ("g",)).queries[FACT]
    assert "changed.silver__s__fact AS a JOIN silver.s.fact AS b" in first
    assert "silver.s.fact AS a JOIN changed.silver__s__fact AS b" in second


def test_a_cte_read_twice_changes_at_either_place() -> None:
    sql = f"WITH c AS (SELECT g, p FROM {FACT}) SELECT a.g, b.g AS h FROM c AS a JOIN c AS b ON a.p = b.g"
    assert [q.count("changed.") for q in group_queries(sql, ("g",)).queries[FACT]] == [1, 1]


def test_each_branch_of_a_union_is_asked_in_the_names_of_the_first() -> None:
    sql = f"SELECT f.g, f.v FROM {FACT} AS f UNION ALL SELECT d.name, d.v FROM {DIMENSION} AS d"
    assert only(sql, DIMENSION) == "SELECT DISTINCT d.name AS `g` FROM changed.silver__s__dim AS d"


def test_changed_rows_under_an_anti_join_are_those_that_meet() -> None:
    sql = f"SELECT f.g, f.v FROM {FACT} AS f LEFT ANTI JOIN {DIMENSION} AS d ON d.k = f.k"
    assert "LEFT SEMI JOIN changed.silver__s__dim" in only(sql, DIMENSION)


def test_a_filter_over_an_aggregate_does_not_hide_a_group() -> None:
    """Given changed rows only, the aggregate is another one."""
    sql = (
        f"SELECT c.g, c.n FROM (SELECT g, count(*) AS n FROM {FACT} GROUP BY g HAVING count(*) > 1) AS c WHERE c.n > 2"
    )
    assert "WHERE" not in only(sql, FACT)
    assert "HAVING" not in only(sql, FACT)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (f"SELECT f.g, rank() OVER (ORDER BY f.v) AS r FROM {FACT} AS f", "window function"),
        (f"SELECT 1 AS g, count(*) AS n FROM {FACT} AS f", "aggregates over everything"),
        (f"SELECT f.g, f.v FROM {FACT} AS f ORDER BY f.v LIMIT 3", "LIMIT"),
        (f"SELECT f.g, count(*) AS n FROM {FACT} AS f GROUP BY ROLLUP (f.g)", "ROLLUP"),
        (f"SELECT count(*) AS g, f.v FROM {FACT} AS f GROUP BY f.v", "grain column g is an aggregate"),
        (f"SELECT c.n AS g FROM (SELECT f.k, count(*) AS n FROM {FACT} AS f GROUP BY f.k) AS c", "is an aggregate"),
        (f"SELECT coalesce(d.name, '-') AS g, count(*) AS n {JOIN} GROUP BY d.name", "may be NULL by an outer join"),
        (f"SELECT k AS g, count(*) AS n {JOIN} GROUP BY k", "write it with its table"),
        (f"SELECT f.g FROM {FACT} AS f FULL JOIN {DIMENSION} AS d ON d.k = f.k", "FULL JOIN"),
        (f"SELECT f.g FROM {FACT} AS f CROSS JOIN {DIMENSION} AS d", "no condition"),
        (f"SELECT f.g FROM {FACT} AS f, {DIMENSION} AS d WHERE d.k = f.k", "no condition"),
        (f"SELECT f.g FROM {FACT} AS f WHERE f.k IN (SELECT k FROM {DIMENSION})", "a subquery in an expression"),
        (f"SELECT f.g, datediff(:planned_at, f.t) AS age FROM {FACT} AS f", ":planned_at"),
        (f"SELECT f.g FROM {FACT} AS f EXCEPT SELECT d.name FROM {DIMENSION} AS d", "EXCEPT"),
        (
            (
                f"SELECT f.g FROM {FACT} AS f JOIN (SELECT k, max(v) AS top FROM {DIMENSION} GROUP BY k) AS d "
                "ON d.top = f.v"
            ),
            "a join's condition is an aggregate",
        ),
        (
            f"SELECT f.g {JOIN} JOIN silver.s.more AS m ON m.k = coalesce(d.m, 0)",
            "a join's condition may be NULL by an outer join",
        ),
        (f"SELECT f.v AS a, a + 1 AS g FROM {FACT} AS f", "another output column"),
        (f"SELECT f.g, x FROM {FACT} AS f LATERAL VIEW explode(f.xs) AS x", "LATERAL VIEW"),
    ],
)
def test_what_cannot_be_followed_is_said(sql: str, why: str) -> None:
    found = group_queries(sql, ("g",))
    assert why in found.why_not
    assert found.queries == {}


def test_rows_without_a_grain_cannot_be_merged() -> None:
    assert group_queries(f"SELECT f.g FROM {FACT} AS f", ()).why_not == "no grain tells its rows apart"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (f"SELECT f.g, upper(f.v) AS v FROM {FACT} AS f WHERE f.g > 1", ""),
        (f"SELECT f.g, count(*) AS n FROM {FACT} AS f GROUP BY f.g", "group"),
        (f"SELECT DISTINCT f.g FROM {FACT} AS f", "distinct"),
        (f"SELECT sum(f.g) AS g FROM {FACT} AS f", "aggregate"),
        (f"SELECT f.g {JOIN}", "JOIN"),
        (f"SELECT f.g FROM {FACT} AS f LIMIT 1", "limit"),
        (f"SELECT f.g FROM {FACT} AS f UNION ALL SELECT f.g FROM {FACT} AS f", "UNION"),
        (f"SELECT f.g, :planned_at AS t FROM {FACT} AS f", "planned_at"),
        (f"SELECT f.g, row_number() OVER (ORDER BY f.g) AS n FROM {FACT} AS f", "OVER"),
    ],
)
def test_append_takes_only_sql_that_is_row_by_row(sql: str, why: str) -> None:
    assert why in why_not_append(sql)
    assert bool(why) == bool(why_not_append(sql))
