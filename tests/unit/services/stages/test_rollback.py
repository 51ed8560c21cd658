"""Turning back a release: tables and their state move back, and what comes after makes up for it (rule 22)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater.domain.errors import LeaseHeldError, NotFoundError, RequestError
from headwater.domain.release import Release
from headwater.domain.spec import GoldSpec, Owner, ProductSpec, Schedule
from headwater.services.rollback import rollback

SILVER, GOLD = "silver.shop.orders", "gold.shop.revenue"


def back(world: Any, release: str) -> Release:
    parts = (world.runs, world.catalog, world.clock, world.run_states)
    return rollback(*parts, release, run_key=str(world.context("rollback__1").run_key), holder="ann")


def newest(world: Any, kind: str) -> Release:
    found = next(release for release in world.runs.releases("shop") if release.kind == kind)
    assert isinstance(found, Release)
    return found


@pytest.fixture
def twice(world: Any) -> Any:
    """Two runs, each with an audited release."""
    assert world.whole("one") is None
    world.source.rows["orders"] = 2
    assert world.whole("two") is None
    return world


def test_tables_and_their_progress_go_back_and_the_next_run_makes_up_for_it(twice: Any) -> None:
    first = twice.runs.releases("shop")[-1]
    assert first.kind == "bronze"
    audited = next(release for release in reversed(twice.runs.releases("shop")) if release.kind == "audited")
    old = {item.table.dotted: item.snapshot_id for item in audited.tables}
    now = twice.mains()
    made = back(twice, audited.id)
    assert (made.kind, made.scope) == ("rollback", "audited")
    assert {table: twice.main(table) for table in old} == old != {table: now[table] for table in old}
    assert (twice.batch(SILVER), twice.batch("bronze.shop.orders")) == (1, 2)
    assert twice.runs.leases() == ()
    assert twice.whole("three") is None
    assert twice.batch(SILVER) == 2
    assert newest(twice, "audited").id > made.id


def test_a_product_sees_that_its_input_went_back_and_builds_anew(twice: Any, world_of: Callable[..., Any]) -> None:
    gold = GoldSpec(name="totals", grain=("day",), sql="SELECT 1", inputs=twice.model.spec.gold[0].inputs[:1])
    owner, schedule = Owner(team="t"), Schedule(manual=True)
    report = world_of(
        ProductSpec(name="report", file="r.yaml", description="d", owner=owner, schedule=schedule, gold=(gold,))
    )
    report.runs, report.catalog = twice.runs, twice.catalog
    report.engine.catalog = twice.catalog

    def build(run_id: str) -> int | None:
        report.plan(run_id)
        report.gold(run_id)
        report.publish(run_id)
        report.runs.release_leases(report.context(run_id).key)
        return int(report.main("gold.report.totals"))

    before = build("p1")
    assert build("p2") == before
    audited = next(release for release in reversed(twice.runs.releases("shop")) if release.kind == "audited")
    back(twice, audited.id)
    assert build("p3") != before


def test_quarantine_is_never_turned_back(world: Any) -> None:
    """Rule 40: it holds what is nowhere else, and readers of silver would find only it."""
    world.engine.diverting = {SILVER}
    assert world.whole("one") is None
    readable = [release.id for release in world.runs.current()]
    with pytest.raises(RequestError, match="never turned back"):
        back(world, newest(world, "quarantine").id)
    assert [release.id for release in world.runs.current()] == readable


def test_what_cannot_be_turned_back_to_is_explained(twice: Any) -> None:
    with pytest.raises(NotFoundError):
        back(twice, "r-none")
    with pytest.raises(RequestError, match="already"):
        back(twice, newest(twice, "audited").id)
    twice.plan("four")
    with pytest.raises(LeaseHeldError, match="is held by four"):
        back(twice, twice.runs.releases("shop")[-1].id)
