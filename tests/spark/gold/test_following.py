"""Gold that follows its inputs equals gold made anew, whatever happened to the inputs (rule 38).

Every history is a key of its own (``h``) in the same tables, so that one job follows dozens of them.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

HISTORIES, STEPS = 100, 3
FACT = "h bigint, k bigint, g string, d bigint, v bigint, u timestamp"
DIMENSION = "h bigint, d bigint, region string, u timestamp"
GOLD = {
    "sums": (("h", "g"), "SELECT f.h, f.g, sum(f.v) AS v, count(*) AS n FROM {fact} AS f GROUP BY f.h, f.g"),
    "regions": (
        ("h", "region"),
        (
            "SELECT f.h, d.region, sum(f.v) AS v FROM {fact} AS f JOIN {dim} AS d ON d.h = f.h AND d.d = f.d "
            "WHERE f.v > 1 GROUP BY f.h, d.region HAVING sum(f.v) > 2"
        ),
    ),
    "known": (
        ("h", "k"),
        (
            "SELECT f.h, f.k, concat(f.g, '!') AS g, max(d.region) AS region, count(d.d) AS n FROM {fact} AS f "
            "LEFT JOIN {dim} AS d ON d.h = f.h AND d.d = f.d AND d.is_current "
            "WHERE d.region IS NULL OR d.region <> 'c' GROUP BY f.h, f.k, f.g"
        ),
    ),
    "strangers": (
        ("h", "g"),
        (
            "SELECT f.h, f.g, count(*) AS n FROM {fact} AS f "
            "LEFT ANTI JOIN {dim} AS d ON d.h = f.h AND d.d = f.d AND d.is_current GROUP BY f.h, f.g"
        ),
    ),
    "nested": (
        ("h", "region"),
        (
            "WITH per_group AS (SELECT h, d, g, sum(v) AS v FROM {fact} GROUP BY h, d, g HAVING count(*) > 1) "
            "SELECT p.h, d.region, sum(p.v) AS v, max(q.v) AS top FROM per_group AS p "
            "JOIN {dim} AS d ON d.h = p.h AND d.d = p.d JOIN per_group AS q ON q.h = p.h AND q.g = p.g "
            "WHERE p.v < 9 GROUP BY p.h, d.region"
        ),
    ),
    "both": (
        ("h", "what"),
        (
            "SELECT h, coalesce(g, '-') AS what, count(*) AS n FROM {fact} GROUP BY h, g UNION ALL "
            "SELECT d.h, concat('r', coalesce(d.region, '-')), count(*) FROM {dim} AS d GROUP BY d.h, d.region"
        ),
    ),
}


def events(seed: int) -> list[list[dict[str, list[Any]]]]:
    """Per history and step the events of both tables: few keys, so that rows move, vanish, return; some are late."""
    dice = random.Random(seed)

    def fact() -> Any:
        return (dice.randint(1, 4), dice.choice("ab\0"), dice.randint(1, 3), dice.randint(0, 4), dice.randint(0, 28))

    def dimension() -> Any:
        return dice.randint(1, 3), dice.choice("nsc\0"), dice.randint(0, 28)

    def some(make: Any, most: int) -> list[Any]:
        return [(make(), dice.choice("uuud")) for _ in range(dice.randint(0, most))]

    return [[{"fact": some(fact, 4), "dim": some(dimension, 2)} for _ in range(STEPS)] for _ in range(HISTORIES)]


def put(lake: Any, batch: int, table: str, histories: list[Any]) -> Any:
    """The events of one step of every history, days in any order: late ones among them."""
    rows, ops = [], ""
    for number, steps in enumerate(histories):
        for values, op in steps[batch - 1][table]:
            *columns, day = ("NULL" if value == "\0" else repr(value) for value in values)
            rows.append(f"{number}, {', '.join(columns)}, TIMESTAMP '2026-02-01 00:00:00Z' + INTERVAL {day} HOURS")
            ops += op
    return lake.bronze(batch, FACT if table == "fact" else DIMENSION, rows, table, ops)


@pytest.mark.timeout(900)
@settings(
    max_examples=1, phases=[Phase.generate], deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_following_equals_making_anew(lake: Any, gold_of: Any, seed: int) -> None:
    """Rows that move between groups, vanish, come late; a dimension that changes; nothing new at all."""
    lake, data = type(lake)(lake.spark, lake.remote), events(seed)
    gold = gold_of(lake, fact=("h", "k"), dim=("h", "d"))
    specs = [gold.spec(name, sql, grain) for name, (grain, sql) in GOLD.items()]
    tables = {
        "fact": lake.spec("upsert", name="fact", sequence_by="u").model_copy(update={"key": ("h", "k")}),
        "dim": lake.spec("scd2", name="dim", sequence_by="u").model_copy(update={"key": ("h", "d")}),
    }
    for batch in range(1, STEPS + 1):
        sources = {name: put(lake, batch, name, data) for name in tables}
        results = lake.refine_all([lake.refine_spec(tables[name], source) for name, source in sources.items()])
        assert [result.error for result in results] == [None, None]
        ways = [result.facts.get("how", "anew") for result in gold.build(batch, *specs)]
        assert all(("again" in way) == (batch > 1) for way in ways), ways
        for spec in specs:
            assert gold.rows(spec) == gold.anew(spec), (batch, spec.name)


def test_rows_that_share_their_grain_are_made_anew_and_append_takes_new_rows_only(lake: Any, gold_of: Any) -> None:
    gold = gold_of(lake, events=(), facts=("k",))
    tables = {"events": lake.spec("append", name="events").model_copy(update={"key": ()})}
    tables["facts"] = lake.spec("upsert", name="facts", sequence_by="u")
    added = gold.spec("added", "SELECT k, upper(v) AS v FROM {events} WHERE k > 1", ("k",), "append")
    twins = gold.spec("twins", "SELECT v, k FROM {facts}", ("v",))
    columns, ways = "k bigint, v string, u timestamp", []
    for batch, values in ((1, "abc"), (2, "ab"), (3, "")):
        rows = [f"{batch * number}, '{v}', TIMESTAMP '2026-02-01 00:00:00Z'" for number, v in enumerate(values, 1)]
        orders = [lake.refine_spec(spec, lake.bronze(batch, columns, rows, name)) for name, spec in tables.items()]
        assert [result.error for result in lake.refine_all(orders)] == [None, None]
        ways += [[result.facts.get("how") for result in gold.build(batch, added, twins)]]
        assert (gold.rows(added), gold.rows(twins)) == (gold.anew(added), gold.anew(twins))
    assert ways == [
        [None, None],
        ["appended what new rows give", "made anew: several rows have one grain"],
        ["appended what new rows give", "no group changed"],
    ]


def test_gold_of_gold_is_followed_by_what_differs(lake: Any, gold_of: Any) -> None:
    gold = gold_of(lake, facts=("k",))
    lower = gold.spec("lower", "SELECT v, count(*) AS n FROM {facts} GROUP BY v", ("v",))
    upper = gold.spec("upper", "SELECT n, count(*) AS groups FROM {lower} GROUP BY n", ("n",))
    facts, ways = lake.spec("upsert", name="facts", sequence_by="u"), []
    for batch, values in ((1, ("1, 'a'", "2, 'a'", "3, 'b'")), (2, ("2, 'b'", "4, 'c'")), (3, ("1, 'a'",))):
        rows = [f"{row}, TIMESTAMP '2026-02-0{batch} 00:00:00Z'" for row in values]
        lake.refine(facts, lake.bronze(batch, "k bigint, v string, u timestamp", rows, "facts"))
        for spec in (lower, upper):
            ways += [result.facts.get("how") for result in gold.build(batch, spec)]
            assert gold.rows(spec) == gold.anew(spec)
    assert ways == [None, None, "3 groups made again", "2 groups made again", "1 groups made again", "no group changed"]
