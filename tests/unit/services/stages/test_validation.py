"""The gates: a verdict for exactly one snapshot and one contract (rules 15, 18, 20, 21, 25, 40)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import ContractBrokenError, GateError
from headwater.domain.names import Layer
from headwater.domain.storage_errors import WarehouseDownError

ORDERS = "bronze.shop.orders"
EVERY = {f"bronze.shop.{table}" for table in ("orders", "customers", "stock")}


@pytest.mark.parametrize("twist", [{"snapshot_id": 1}, {"contract_hash": "of yesterday"}], ids=["snapshot", "contract"])
def test_a_verdict_for_another_snapshot_or_contract_opens_nothing(world: Any, twist: dict[str, Any]) -> None:
    """Rule 15."""
    world.engine.twist = lambda verdict: verdict.model_copy(update=twist)
    with pytest.raises(GateError):
        world.bronze("one")
    assert set(world.mains().values()) == {1001}
    assert {record.status for record in world.runs.staged(world.context("one").key)} == {"held"}


def test_no_answer_is_a_closed_gate(world: Any) -> None:
    """Rule 15."""
    world.engine.silent = {ORDERS}
    report = world.bronze("one")
    assert report.held == (ORDERS,)
    assert [failure.cause for failure in world.reported] == ["gate_unsure"]
    assert world.batch(ORDERS) == 0


def test_one_bad_table_never_freezes_its_neighbours(world: Any) -> None:
    """Rule 20: the stage is green while something may go on, and the one responsible is told."""
    world.engine.broken = {ORDERS}
    report = world.bronze("one")
    assert (report.held, [o.table for o in report.outcomes]) == (
        (ORDERS,),
        ["bronze.shop.customers", "bronze.shop.stock"],
    )
    (told,) = world.reported
    assert (told.kind, told.cause, told.table, told.task_id) == (
        "held", "contract_broken", ORDERS, f"validate_bronze:{ORDERS}",
    )  # fmt: skip


def test_the_stage_is_red_when_every_table_is_held_and_reports_each_once(world: Any) -> None:
    """Rule 20: the error of the stage opens no incident of its own."""
    world.engine.broken = EVERY
    with pytest.raises(ContractBrokenError, match="and 2 more") as red:
        world.bronze("one")
    assert red.value.reported
    assert {failure.table for failure in world.reported} == EVERY


def test_a_broken_rule_that_diverts_is_told_with_the_table_to_rebuild(world: Any, monkeypatch: Any) -> None:
    """Rule 21: its new rows went to quarantine before the gate, so that no discard opens it."""
    monkeypatch.setattr(world.model, "quarantine_rules", lambda contract: {"id is positive": "`id` <= 0"})
    world.engine.broken = {"silver.shop.orders"}
    world.whole("one")
    told = next(failure for failure in world.reported if failure.table == "silver.shop.orders")
    assert told.facts["rebuilt_table"] == "silver.shop.orders"


def test_what_was_judged_is_not_judged_again(world: Any) -> None:
    """Rule 8: neither what passed nor what broke a rule, by the same contract."""
    world.engine.broken = {ORDERS}
    world.plan("one")
    for table in ("orders", "stock"):
        world.extract("one", table)
    first = world.validate("one", Layer.BRONZE)
    assert world.validate("one", Layer.BRONZE) == first
    assert world.engine.kinds() == ["validate"]


def test_a_gate_that_could_not_judge_is_asked_again(world: Any) -> None:
    """Rule 15: a dead engine says nothing about the data; clearing the stage is enough."""
    world.engine.erring = {ORDERS}
    world.bronze("one")
    assert world.status("one", ORDERS) == "held"
    world.engine.erring = set()
    world.validate("one", Layer.BRONZE)
    assert world.status("one", ORDERS) == "staged"
    assert [request.table.dotted for request in world.engine.jobs[-1].validate_] == [ORDERS]


def test_a_store_that_is_away_judges_nothing_and_holds_nothing(world: Any) -> None:
    """Rule 15: there is no verdict, so the gate is closed; it is told as the store's fault, and a retry judges."""
    world.engine.failing, world.engine.cause = {ORDERS}, "warehouse_down"
    with pytest.raises(WarehouseDownError) as red:
        world.bronze("one")
    assert red.value.retry_helps
    assert world.reported == []
    assert {world.status("one", table) for table in EVERY} == {"staged"}
    assert world.batch(ORDERS) == 0
    world.engine.failing = set()
    assert world.validate("one", Layer.BRONZE).held == ()


def test_a_gate_that_opens_when_its_run_is_cleared_lets_the_run_end_green(world: Any) -> None:
    """Rules 21 and 25: how the run ended before does not keep its group closed."""
    world.engine.erring = {"silver.shop.orders"}
    assert world.whole("one") is not None
    assert world.main("gold.shop.revenue") is None
    world.engine.erring = set()
    assert world.whole("one") is None
    assert world.batch("silver.shop.orders") == 1
    assert world.batch("gold.shop.revenue") == 1


def test_diverted_rows_are_shown_though_the_gate_closes(world: Any) -> None:
    """Rule 40."""
    silver = {"silver.shop.orders", "silver.shop.customers", "silver.shop.stock"}
    world.engine.diverting, world.engine.broken = {"silver.shop.orders"}, silver
    world.bronze("one")
    with pytest.raises(ContractBrokenError):
        world.silver("one")
    assert world.status("one", "quarantine.shop.orders") == "published"
    shown = {table.table.dotted for release in world.runs.current() for table in release.tables}
    assert "quarantine.shop.orders" in shown
    assert shown & silver == set()


def test_nothing_staged_asks_no_engine(world: Any) -> None:
    """Rule 8."""
    world.plan("one")
    assert world.validate("one", Layer.BRONZE).message == "nothing staged, nothing to judge"
    assert world.engine.jobs == []
