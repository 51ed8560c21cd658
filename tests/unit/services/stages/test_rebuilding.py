"""A rebuild derives what it was asked to, reads no source, and is a run like any other (rules 4, 9, 14, 38)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.change import Effect, SpecChange
from headwater.domain.errors import RequestError
from headwater.domain.job import Anew, BuildTable, RefineTable
from headwater.domain.names import TableName
from headwater.domain.run import RunKind
from headwater.services.rebuilding import rebuild_bound

ORDERS, REVENUE = "silver.shop.orders", "gold.shop.revenue"


def rebuilt(world: Any, run_id: str, **request: Any) -> Any:
    """A whole run with these parameters; the jobs it asked the engine for."""
    asked = len(world.engine.jobs)
    world.plan(run_id, **request)
    for table in world.runs.plan(world.context(run_id).key).tables:
        world.extract(run_id, table.table)
    assert world.whole(run_id) is None
    return world.engine.jobs[asked:]


def refined(jobs: Any) -> dict[str, RefineTable]:
    return {item.silver.dotted: item for job in jobs for item in job.refine}


def built(jobs: Any) -> dict[str, BuildTable]:
    return {item.gold.dotted: item for job in jobs for item in job.build}


def test_a_silver_table_is_derived_from_its_first_batch_and_its_gold_follows(world: Any) -> None:
    world.whole("one")
    before, read = world.mains(), list(world.source.read)
    jobs = rebuilt(world, "two", rebuild=(ORDERS,))
    assert world.source.read == read
    (order,) = refined(jobs).values()
    assert (order.silver.dotted, order.from_batch, order.anew) == (ORDERS, 0, Anew())
    assert order.state.generation == 1
    assert built(jobs)[REVENUE].inputs[ORDERS].generation == 1
    moved = {dotted for dotted, main in world.mains().items() if before[dotted] != main}
    assert moved == {ORDERS, REVENUE}
    assert world.batch(ORDERS) == 1


def test_its_plan_says_what_it_is(world: Any) -> None:
    world.whole("one")
    plan = world.plan("two", rebuild=(ORDERS,))
    assert plan.kind is RunKind.REBUILD
    assert {table.window.kind for table in plan.tables} == {"nothing"}


def test_later_runs_go_on_from_the_rebuilt_table(world: Any) -> None:
    world.whole("one")
    rebuilt(world, "two", rebuild=(ORDERS,))
    world.source.rows["orders"] += 1
    asked = len(world.engine.jobs)
    assert world.whole("three") is None
    order = refined(world.engine.jobs[asked:])[ORDERS]
    assert (order.from_batch, order.anew, order.state.generation) == (1, None, 1)


@pytest.mark.parametrize(
    ("since", "anew"),
    [
        (1, Anew(after_batch=0)),
        (2, Anew(after_batch=1)),
        (datetime(2026, 3, 31, tzinfo=UTC), Anew(since=datetime(2026, 3, 31, tzinfo=UTC))),
    ],
)
def test_a_bound_goes_with_the_order(world: Any, since: Any, anew: Anew) -> None:
    world.whole("one")
    world.source.rows["orders"] += 1
    world.whole("two")
    jobs = rebuilt(world, "three", rebuild=(ORDERS,), rebuild_from=since)
    assert refined(jobs)[ORDERS].anew == anew


@pytest.mark.parametrize(
    ("since", "allowed"),
    [
        (2, "a batch up to 1"),
        (datetime(9000, 1, 1, tzinfo=UTC), "an instant up to now"),
        (datetime(2026, 11, 21, 12, 0, 1, 1, tzinfo=UTC), "12:00:01+00:00, when its last batch was read"),
    ],
)
def test_a_bound_that_nothing_lies_behind_is_refused(world: Any, since: Any, allowed: str) -> None:
    """A mistyped batch would give a green run that derived nothing again."""
    world.whole("one")
    with pytest.raises(RequestError) as refused:
        world.plan("two", rebuild=(ORDERS,), rebuild_from=since)
    assert allowed in str(refused.value.allowed)


def test_gold_is_made_again_though_nothing_changed(world: Any) -> None:
    world.whole("one")
    jobs = rebuilt(world, "two", rebuild=(REVENUE,))
    assert [job.kind for job in jobs] == ["build_gold", "validate"]
    assert built(jobs)[REVENUE].why_anew == "this run was asked to"


def test_a_cleared_rebuild_does_nothing_again(world: Any) -> None:
    """Rule 9."""
    world.whole("one")
    rebuilt(world, "two", rebuild=(ORDERS, REVENUE))
    before = world.mains()
    assert rebuilt(world, "two", rebuild=(ORDERS, REVENUE)) == []
    assert world.mains() == before


def test_a_rebuild_whose_gate_closes_changes_nothing_for_readers(world: Any) -> None:
    world.whole("one")
    before = world.mains()
    world.engine.broken = {ORDERS}
    world.plan("two", rebuild=(ORDERS,))
    assert world.whole("two") is not None
    assert world.mains() == before
    assert world.status("two", ORDERS) == "held"


def test_a_change_that_asks_for_it_derives_the_table_again(world: Any) -> None:
    """Rule 14: what ``validate`` and ``plan_run`` announced as a rebuild is one."""
    world.whole("one")
    plan = world.plan("two")
    change = SpecChange(
        table=TableName.parse(ORDERS), path="silver.track", was=("a",), now=("b",), effect=Effect.REBUILD, why="other"
    )
    world.runs.replace_plan(plan.model_copy(update={"changes": (change,)}), "{}")
    asked = len(world.engine.jobs)
    assert world.whole("two") is None
    assert {dotted: order.anew for dotted, order in refined(world.engine.jobs[asked:]).items()} == {ORDERS: Anew()}


@pytest.mark.parametrize(
    "request_",
    [
        {"rebuild": ("bronze.shop.orders",)},
        {"rebuild": ("silver.shop.nobody",)},
        {"rebuild": ("silver.other.orders",)},
        {"rebuild": (REVENUE,), "rebuild_from": 3},
        {"rebuild_from": 3},
        {"rebuild": (ORDERS,), "full_refresh": True},
        {"rebuild": (ORDERS,), "tables": ("orders",)},
    ],
)
def test_what_cannot_be_rebuilt_is_refused_before_anything_is_planned(world: Any, request_: Any) -> None:
    with pytest.raises(RequestError, match="rebuild"):
        world.plan("one", **request_)
    assert world.runs.plan(world.context("one").key) is None


@pytest.mark.parametrize("text", ["", "-1", "yesterday", "1.5", "٣", "9" * 40])
def test_a_bound_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="rebuild_from"):
        rebuild_bound(text)


def test_a_date_is_utc() -> None:
    assert rebuild_bound("2026-03-31") == datetime(2026, 3, 31, tzinfo=UTC)
    assert rebuild_bound("20260331") == datetime(2026, 3, 31, tzinfo=UTC)
    assert rebuild_bound("17") == 17
