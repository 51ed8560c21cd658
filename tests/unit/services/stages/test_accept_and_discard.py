"""accept and discard: the ways out of a closed gate that a person chooses (rule 21)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import ContractBrokenError, HeadwaterError, LeaseHeldError, NotFoundError, StaleBaseError
from headwater.domain.names import Layer, TableName
from headwater.services.accepting import accept
from headwater.services.held import discard
from headwater.services.leasing import LeaseBusyError

name = TableName.parse
GROUP = ("silver.shop.orders", "silver.shop.customers", "gold.shop.revenue")


@pytest.fixture
def held(world: Any) -> Any:
    """A run whose gold broke a rule, so that its whole group is held; it is over."""
    world.engine.broken = {"gold.shop.revenue"}
    world.whole("one")
    return world


def again(world: Any, run_id: str, layer: str) -> None:
    """The run, cleared from the gate of a layer, as ``headwater accept`` clears it."""
    world.validate(run_id, Layer(layer))
    if layer == "silver":
        world.gold(run_id)
    world.publish(run_id)
    world.close(run_id)


def test_an_accepted_gold_is_published_with_its_group_and_nothing_is_made_again(held: Any, incident_of: Any) -> None:
    """Rules 15, 18, 21: the word is bound to the snapshot that was judged, and to a person and a reason."""
    staged = {r.staged.table.dotted: r.staged.staged for r in held.runs.held()}
    jobs = len(held.engine.jobs)
    done = accept(held, incident_of("gold.shop.revenue"), "ann", "the owner knows")
    assert (done.run_id, done.gate, done.release, done.closed_by) == ("one", "validate_gold", None, ())
    assert held.main("gold.shop.revenue") is None or held.batch("gold.shop.revenue") == 0
    again(held, "one", "gold")
    assert {table: held.main(table) for table in GROUP} == staged
    accepted = {table: held.runs.verdict(name(table), staged[table]).accepted_by for table in GROUP}
    assert accepted == dict.fromkeys(GROUP) | {"gold.shop.revenue": "ann: the owner knows"}
    assert (held.runs.held(), held.runs.leases()) == ((), ())
    assert held.runs.run(held.context("one").key).state == "success"
    assert len(held.engine.jobs) == jobs


def test_an_accepted_silver_goes_on_to_gold_in_one_release(world: Any, incident_of: Any) -> None:
    """Rules 20, 21: gold that was never built is built from the accepted snapshot, and readers get both at once."""
    world.engine.broken = {GROUP[0]}
    world.whole("one")
    snapshot = world.runs.held(name(GROUP[0]))[0].staged.staged
    done = accept(world, incident_of(GROUP[0]), "ann", "ferry flight")
    assert (done.gate, done.closed_by) == ("validate_silver", ())
    again(world, "one", "silver")
    audited = next(release for release in world.runs.current() if release.kind == "audited")
    assert {item.table.dotted for item in audited.tables if item.moved} == set(GROUP)
    assert world.main(GROUP[0]) == snapshot
    built = next(item for job in world.engine.jobs for item in job.build)
    assert built.inputs[GROUP[0]].snapshot_id == snapshot


def test_a_word_for_one_table_opens_no_other_gate_of_its_group(world: Any, incident_of: Any) -> None:
    """Rule 21: each broken table has its own incident, with its own numbers."""
    world.engine.broken = set(GROUP[:2])
    world.whole("one")
    assert accept(world, incident_of(GROUP[0]), "ann", "fine").closed_by == (name(GROUP[1]),)
    with pytest.raises(ContractBrokenError):
        world.validate("one", Layer.SILVER)
    assert {world.status("one", table) for table in GROUP[:2]} == {"held"}
    assert accept(world, incident_of(GROUP[1]), "ann", "fine, too").closed_by == ()
    again(world, "one", "silver")
    assert world.batch(GROUP[2]) == 1


def test_a_word_for_one_snapshot_opens_nothing_that_is_made_later(world: Any, incident_of: Any) -> None:
    """Rule 15."""
    world.engine.broken = {GROUP[0]}
    world.whole("one")
    accept(world, incident_of(GROUP[0]), "ann", "fine")
    world.whole("two")
    assert world.status("two", GROUP[0]) == "held"
    assert world.batch(GROUP[0]) == 0


def test_what_no_gate_could_judge_cannot_be_accepted(world: Any, incident_of: Any) -> None:
    """Rule 15: nobody knows what would be let through."""
    world.engine.erring = {GROUP[0]}
    world.whole("one")
    with pytest.raises(ContractBrokenError, match="never judged"):
        accept(world, incident_of(GROUP[0]), "ann", "fine")


def test_nobody_takes_the_leases_of_a_run_at_work(held: Any, incident_of: Any) -> None:
    """Rule 23: they are the run's own; freed by a person, its stages would lose them."""
    held.run_states.over.clear()
    held.plan("one")
    leases = held.runs.leases()
    with pytest.raises(LeaseHeldError, match="one of shop is still at work"):
        accept(held, incident_of("gold.shop.revenue"), "ann", "fine")
    assert held.runs.leases() == leases != ()


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
    world.run_states.over.add("one")
    release = accept(world, incident_of("bronze.shop.orders"), "ann", "fine").release
    assert release is not None
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
