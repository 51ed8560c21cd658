"""Gold of mode ``merge`` is asked to follow its inputs, or told why it is made anew (rules 22, 38)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater.domain.increment import GroupQueries
from headwater.domain.job import BuildTable
from headwater.domain.names import TableName
from headwater.domain.release import Move
from headwater.domain.run import InputRef
from headwater.services.consumer_tags import consumer_tag

ORDERS, REVENUE = TableName.parse("silver.shop.orders"), TableName.parse("gold.shop.revenue")
QUERIES = {"silver.shop.orders": ("SELECT DISTINCT day FROM changed.silver__shop__orders",)}


@pytest.fixture
def merging(world: Any, world_of: Callable[[Any], Any]) -> Any:
    """The shop with gold of mode ``merge``, after its first run."""
    spec = world.model.spec
    made = world_of(spec.model_copy(update={"gold": (spec.gold[0].model_copy(update={"mode": "merge"}),)}))
    made.model.group_queries = lambda gold: GroupQueries(queries=QUERIES)
    made.model.changing_key = lambda table: ("id",)
    assert made.whole("one") is None
    return made


def asked(world: Any, run_id: str) -> BuildTable:
    """What ``build_gold`` of one more run with new orders asks for."""
    world.source.rows["orders"] += 1
    assert world.whole(run_id) is None
    order: BuildTable = next(job for job in reversed(world.engine.jobs) if job.kind == "build_gold").build[0]
    return order


def test_the_first_build_makes_everything(merging: Any) -> None:
    first = next(job for job in merging.engine.jobs if job.kind == "build_gold").build[0]
    assert (first.follow, first.why_anew) == (None, "it is made for the first time")


def test_later_builds_follow_what_the_published_table_was_built_from(merging: Any) -> None:
    before = merging.catalog.head(REVENUE).state.inputs
    order = asked(merging, "two")
    assert order.why_anew == ""
    assert order.follow is not None
    assert {dotted: item.previous for dotted, item in order.follow.inputs.items()} == before
    assert {item.key for item in order.follow.inputs.values()} == {("id",)}
    assert order.follow.queries == QUERIES
    assert order.inputs[ORDERS.dotted] == InputRef(snapshot_id=merging.main(ORDERS.dotted), batch=2)


def test_a_publish_tags_what_the_table_was_built_from(merging: Any) -> None:
    """Rule 41: so that expiry keeps it until the next build."""
    asked(merging, "two")
    tags = merging.catalog._table(ORDERS).tags
    assert tags == {consumer_tag(REVENUE): merging.main(ORDERS.dotted)}


def test_changed_sql_is_made_anew(merging: Any) -> None:
    merging.model.code = "v2"
    assert asked(merging, "two").why_anew == "its SQL or its declaration changed"


def test_sql_that_cannot_be_followed_is_made_anew_and_says_why(merging: Any) -> None:
    merging.model.group_queries = lambda gold: GroupQueries(why_not="it has a window function")
    order = asked(merging, "two")
    assert (order.follow, order.why_anew) == (None, "the SQL cannot be followed: it has a window function")


def test_an_input_that_was_turned_back_makes_all_anew(merging: Any) -> None:
    """Rule 22: what was read is no ancestor of what is read now."""
    first = merging.catalog.head(ORDERS)
    asked(merging, "two")
    ahead = merging.catalog.head(ORDERS)
    merging.catalog.publish([Move(table=ORDERS, base=ahead.main, target=first.main, branch=None, state=first.state)])
    assert asked(merging, "three").why_anew == "silver.shop.orders was rolled back"


@pytest.mark.parametrize(
    ("read", "why"),
    [
        ({"generation": 7}, "silver.shop.orders was derived anew"),
        ({"snapshot_id": 999}, "what it was built from of silver.shop.orders is gone"),
    ],
)
def test_an_input_that_was_derived_anew_or_has_expired_makes_all_anew(
    merging: Any, read: dict[str, int], why: str
) -> None:
    table = merging.catalog._table(REVENUE)
    then = table.state.inputs[ORDERS.dotted].model_copy(update=read)
    table.state = table.state.model_copy(update={"inputs": {**table.state.inputs, ORDERS.dotted: then}})
    assert asked(merging, "two").why_anew == why


def test_an_input_whose_key_nobody_knows_makes_all_anew(merging: Any) -> None:
    merging.model.changing_key = lambda table: None
    assert "it is not known which rows" in asked(merging, "two").why_anew


def test_a_product_follows_by_the_batches_its_plan_froze(world_of: Callable[[Any], Any], world: Any) -> None:
    """Rule 39: release and batch come from the plan, not from what the table is by now."""
    world.whole("one")
    spec = world.model.spec
    released = next(t for r in world.runs.current() for t in r.tables if t.table == ORDERS)
    foreign = spec.gold[0].model_copy(update={"inputs": (ORDERS,)})
    world.model.spec = spec.model_copy(update={"name": "report", "tables": (), "gold": (foreign,)})
    plan = world.plan("two")
    assert plan.inputs == {ORDERS.dotted: released.snapshot_id}
    assert plan.input_refs == {ORDERS.dotted: InputRef(snapshot_id=released.snapshot_id, batch=1)}
