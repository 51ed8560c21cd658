"""plan_run freezes what a run does (rules 5 to 7, 23, 39)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from headwater.domain.errors import HeadwaterError, SourceTableMissingError, SpecError
from headwater.domain.spec import GoldSpec, Owner, ProductSpec, Schedule
from headwater.services.context import spec_as_planned
from headwater.services.leasing import LeaseBusyError


def test_a_retry_keeps_the_plan_whatever_the_source_says_by_then(world: Any) -> None:
    """Rule 5."""
    first = world.plan("one")
    world.source.rows["orders"] = 9
    assert world.plan("one") == first
    assert first.table("orders").window.high == "1"


def test_a_superseded_run_plans_again_to_what_is_left(world: Any) -> None:
    """Rule 7: another run published while this one slept before its first publish."""
    world.plan("one")
    world.runs.release_leases(world.context("one").key)
    assert world.whole("two") is None
    world.source.rows["stock"] = 5
    again = world.plan("one")
    assert {t.table: (t.batch, t.window.kind) for t in again.tables} == {
        "orders": (2, "nothing"), "customers": (2, "nothing"), "stock": (2, "incremental"),
    }  # fmt: skip
    assert world.bronze("one").outcomes[0].table == "bronze.shop.stock"


def test_a_run_that_has_published_keeps_its_plan(world: Any) -> None:
    """Rules 7 and 9."""
    plan = world.plan("one")
    world.bronze("one")
    assert world.plan("one") == plan


def test_a_cleared_run_works_by_the_files_as_they_are_now_and_keeps_its_windows(world: Any) -> None:
    """Rules 4, 5, 9: what a person mended counts, although bronze of the run is published."""
    first = world.plan("one")
    world.bronze("one")
    world.source.rows["orders"], world.model.code = 9, "mended"
    mended = {"silver.shop.orders": "checks: [row_count: {}]"}
    world.model.spec = world.model.spec.model_copy(update={"contracts": mended})
    again = world.plan("one")
    assert (again.tables, again.planned_at, again.spec_hash) == (first.tables, first.planned_at, "mended")
    key = world.context("one").run_key
    planned = spec_as_planned(world, key, world.model.spec.file)
    assert planned is not None
    assert planned.contracts == mended
    assert world.plan("one") == again


def test_a_cleared_run_plans_anew_only_what_it_could_not_follow(world: Any) -> None:
    """Rules 7, 20: the table the source lost is read when it is back; its neighbours keep what they published."""
    world.source.missing = {"orders"}
    world.bronze("one")
    world.source.missing, world.source.rows = set(), {"orders": 5, "customers": 5, "stock": 5}
    plan = world.plan("one")
    assert {table.table: table.window.high for table in plan.tables} == {"orders": "5", "customers": "1", "stock": "1"}
    assert plan.table("orders").problem is None
    world.bronze("one")
    assert world.batch("bronze.shop.orders") == 1


def test_a_mended_contract_opens_the_gate_of_the_cleared_run(world: Any) -> None:
    """Rule 21: fix and clear, the whole run again; what it has published stays as it is."""
    world.engine.broken = {"silver.shop.orders"}
    assert world.whole("one") is not None
    read, bronze = len(world.source.read), world.main("bronze.shop.orders")
    world.model.code, world.engine.broken = "mended", set()
    assert world.whole("one") is None
    assert (len(world.source.read), world.main("bronze.shop.orders")) == (read, bronze)
    assert world.batch("silver.shop.orders") == world.batch("gold.shop.revenue") == 1


def test_a_cleared_run_cannot_change_what_it_has_published(world: Any) -> None:
    """Rules 4, 14: later runs tell a change of the files by the spec stored with the run that made a table."""
    world.engine.broken = {"silver.shop.stock"}
    assert world.whole("one") is not None
    first, spec = world.plan("one"), world.model.spec
    mended = spec.gold[0].model_copy(update={"sql": "SELECT 2 AS `1`"})
    world.model.spec = spec.model_copy(update={"gold": (mended,)})
    world.model.code = "v2"
    with pytest.raises(HeadwaterError, match="has published tables that the files make otherwise now") as refused:
        world.plan("one")
    assert "gold.shop.revenue" in str(refused.value.got)
    assert world.runs.plan(world.context("one").key) == first


def test_planning_takes_every_lease_or_names_the_holder(world: Any) -> None:
    """Rule 23."""
    world.plan("one")
    with pytest.raises(LeaseBusyError, match="waits: one holds"):
        world.plan("two")
    assert world.runs.plan(world.context("two").key) is None


def test_a_dry_run_takes_no_lease_and_stores_nothing(world: Any) -> None:
    plan = world.plan("one", dry_run=True)
    assert [table.window.kind for table in plan.tables] == ["incremental"] * 3
    assert world.runs.leases() == ()
    assert world.runs.plan(world.context("one").key) is None


def test_a_table_the_source_lost_does_not_stop_its_neighbours(world: Any) -> None:
    """Rule 20: its own extract task says what is wrong."""
    world.source.missing = {"orders"}
    plan = world.plan("one")
    assert plan.table("orders").problem == "public.orders is gone"
    with pytest.raises(SourceTableMissingError):
        world.extract("one", "orders")
    assert world.extract("one", "stock").outcomes[0].status == "staged"
    world.source.missing = set()
    with pytest.raises(HeadwaterError, match="but could be now"):
        world.extract("one", "orders")


def test_only_tables_of_the_source_can_be_asked_for(world: Any) -> None:
    with pytest.raises(SpecError, match="shop has no table nonsense"):
        world.plan("one", tables=("nonsense",))
    assert [table.table for table in world.plan("one", tables=("stock",)).tables] == ["stock"]
    assert world.extract("one", "orders").outcomes[0].status == "not asked"


def test_planned_at_grows_though_the_clock_goes_back(world: Any) -> None:
    """Rule 5: the run's only clock orders runs."""
    first = world.plan("one").planned_at
    world.runs.release_leases(world.context("one").key)
    world.clock.instant -= timedelta(days=1)
    assert world.plan("two").planned_at > first


def test_a_product_is_planned_on_released_inputs_only(world: Any, world_of: Callable[..., Any]) -> None:
    """Rule 39."""
    gold = GoldSpec(name="totals", grain=("day",), sql="SELECT 1", inputs=world.model.spec.gold[0].inputs[:1])
    report = world_of(
        ProductSpec(
            name="report", file="r.yaml", description="d", owner=Owner(team="t"), schedule=Schedule(manual=True),
            gold=(gold,),
        )
    )  # fmt: skip
    assert report.plan("one").inputs == {}  # nothing to build yet, and nothing to tell anybody
    report.runs.release_leases(report.context("one").key)
    world.whole("one")
    report.runs, report.catalog = world.runs, world.catalog
    assert report.plan("two").inputs == {"silver.shop.orders": world.main("silver.shop.orders")}


def test_gold_of_a_source_waits_for_a_foreign_input_and_ingestion_goes_on(
    world_of: Callable[..., Any], shop_reading: Callable[..., Any]
) -> None:
    """Rules 20 and 39."""
    world = world_of(shop_reading("silver.crm.people"))
    assert world.whole("one") is None
    assert world.batch("silver.shop.orders") == 1
    assert world.main("gold.shop.revenue") is None
