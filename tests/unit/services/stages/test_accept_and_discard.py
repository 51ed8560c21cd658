"""accept and discard: the ways out of a closed gate that a person chooses (rule 21)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import ContractBrokenError, HeadwaterError, NotFoundError, StaleBaseError
from headwater.services.held import accept, discard
from headwater.services.leasing import LeaseBusyError

GROUP = ("silver.shop.orders", "silver.shop.customers", "gold.shop.revenue")


@pytest.fixture
def held(world: Any) -> Any:
    """A run whose gold broke a rule, so that its whole group is held; it is over."""
    world.engine.broken = {"gold.shop.revenue"}
    world.whole("one")
    return world


def test_accept_publishes_exactly_the_held_group(held: Any, incident_of: Any) -> None:
    staged = {r.staged.table.dotted: r.staged.staged for r in held.runs.held()}
    release = accept(held, incident_of("gold.shop.revenue"), "ann", "the owner knows")
    assert {t.table.dotted: t.snapshot_id for t in release.tables if t.moved} == staged
    assert {table: held.main(table) for table in GROUP} == staged
    assert held.incidents.closed == {7: "accepted by ann: the owner knows"}
    accepted = {m.table.dotted: held.runs.verdict(m.table, m.target).accepted_by for m in release.moves}
    assert accepted == dict.fromkeys(GROUP) | {"gold.shop.revenue": "ann: the owner knows"}
    assert (held.runs.held(), held.runs.leases()) == ((), ())


def test_a_run_whose_group_was_accepted_closes_green(held: Any, incident_of: Any) -> None:
    accept(held, incident_of("gold.shop.revenue"), "ann", "fine")
    held.close("one")
    assert held.runs.run(held.context("one").key).state == "success"


def test_accept_is_refused_when_the_base_moved(held: Any, incident_of: Any) -> None:
    """Nothing moves, no verdict is changed, and the leases are free again."""
    table = next(r.staged.table for r in held.runs.held() if r.staged.table.dotted == GROUP[1])
    held.catalog.stage_files(table, "main", [], {"headwater.run-key": "somebody else"})
    before = held.mains()
    with pytest.raises(StaleBaseError, match="moved since this was held"):
        accept(held, incident_of("gold.shop.revenue"), "ann", "fine")
    assert (held.mains(), held.runs.leases(), held.incidents.closed) == (before, (), {})
    assert all(
        held.runs.verdict(r.staged.table, r.staged.staged).accepted_by is None for r in held.runs.held()
    )  # fmt: skip


def test_accept_waits_for_no_running_run(held: Any, incident_of: Any) -> None:
    """Rule 23."""
    held.plan("two")
    with pytest.raises(LeaseBusyError):
        accept(held, incident_of("gold.shop.revenue"), "ann", "fine")


def test_what_was_never_judged_cannot_be_accepted(world: Any, incident_of: Any) -> None:
    """Rule 18."""
    world.plan("one")
    world.extract("one", "orders")
    (record,) = world.runs.staged(world.context("one").key)
    world.runs.mark_staged(record.staged.attempt, record.staged.table, "held")
    with pytest.raises(ContractBrokenError, match="never judged"):
        accept(world, incident_of("bronze.shop.orders"), "ann", "fine")
    assert world.batch("bronze.shop.orders") == 0


def test_bronze_is_accepted_table_by_table(world: Any, incident_of: Any) -> None:
    """Rule 20: the next run goes on from it, and does not read the window again."""
    world.engine.broken = {"bronze.shop.orders", "bronze.shop.stock"}
    world.bronze("one")
    release = accept(world, incident_of("bronze.shop.orders"), "ann", "fine")
    assert (release.kind, [move.table.dotted for move in release.moves]) == ("bronze", ["bronze.shop.orders"])
    world.engine.broken = set()
    world.runs.release_leases(world.context("one").key)
    kinds = {table.table: table.window.kind for table in world.plan("two").tables}
    assert kinds == {"orders": "nothing", "customers": "nothing", "stock": "incremental"}


@pytest.mark.parametrize("act", [accept, discard])
def test_nothing_held_is_said_so(world: Any, incident_of: Any, act: Any) -> None:
    world.whole("one")
    with pytest.raises(NotFoundError, match=r"nothing of silver\.shop\.orders is held any more"):
        act(world, incident_of("silver.shop.orders"), "ann", "fine")
    about_no_table = incident_of("silver.shop.orders").model_copy(update={"table": None})
    with pytest.raises(HeadwaterError, match="is not about a held table"):
        act(world, about_no_table, "ann", "fine")


@pytest.mark.parametrize(("predicate", "aside"), [("id < 0", "id < 0"), (None, "true")], ids=["rows", "whole table"])
def test_discard_sets_aside_what_broke_a_rule_up_to_the_held_batch(
    world: Any, incident_of: Any, predicate: str | None, aside: str
) -> None:
    """A check of the whole table sets the whole batch aside."""
    world.engine.broken, world.engine.predicate = {"silver.shop.orders"}, predicate
    world.whole("one")
    (made,) = discard(world, incident_of("silver.shop.orders"), "ann", "known")
    assert (made.table.dotted, made.rule, made.predicate, made.up_to_batch) == (
        "silver.shop.orders", "id is positive", aside, 1,
    )  # fmt: skip
    assert world.runs.held() == ()
    world.engine.broken = set()
    assert world.whole("two") is None
    asked = next(item for job in world.engine.jobs[::-1] for item in job.refine if item.silver == made.table)
    assert asked.set_aside == {"id is positive, set aside by ann: known": f"({aside}) AND `_hw_batch` <= 1"}


def test_discard_drops_the_branches_of_the_group_and_publishes_nothing(held: Any, incident_of: Any) -> None:
    """Rule 21: silver and gold are made again from bronze, which keeps every row."""
    before = held.mains()
    assert discard(held, incident_of("gold.shop.revenue"), "ann", "known") == ()
    assert held.mains() == before
    assert {held.status("one", table) for table in GROUP} == {"discarded"}
    assert all(held.catalog.head(r.staged.table).branches == {} for r in held.runs.staged(held.context("one").key))
    held.engine.broken = set()
    assert held.whole("two") is None
    assert held.batch("gold.shop.revenue") == 1
