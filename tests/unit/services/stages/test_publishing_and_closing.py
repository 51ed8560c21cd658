"""publish and close_run: whole groups at one instant, and how a run ends (rules 9, 18 to 21, 25)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater.domain.errors import RunNotGreenError, StaleBaseError
from headwater.domain.incident import Incident
from headwater.domain.names import Layer
from headwater.domain.staging import KEY_CHECK, CheckResult
from headwater.services.stages import publishing, refinement

GROUP = {"silver.shop.orders", "silver.shop.customers", "gold.shop.revenue"}


def _audited(world: Any) -> Any:
    return next(release for release in world.runs.current() if release.kind == "audited")


def test_a_closed_group_is_held_as_a_whole_and_open_groups_go_in_one_release(world: Any) -> None:
    """Rule 20."""
    world.engine.broken = {"gold.shop.revenue"}
    red = world.whole("one")
    assert {table.table.dotted for table in _audited(world).tables} == {"silver.shop.stock"}
    assert set(_audited(world).held) == GROUP
    assert {world.status("one", table) for table in GROUP} == {"held"}
    assert all(table in red.message for table in GROUP)


def test_all_open_groups_move_in_one_release(world: Any) -> None:
    """Rules 16, 19, 20."""
    world.whole("one")
    assert {table.table.dotted for table in _audited(world).tables} == GROUP | {"silver.shop.stock"}
    assert len(world.runs.releases("shop")) == 2


def test_a_verdict_by_another_contract_publishes_nothing(world: Any) -> None:
    """Rule 18: the contract changed between the gate and the publish."""
    world.bronze("one")
    world.silver("one")
    contracts = {"silver.shop.stock": "checks: [row_count: {}]"}
    world.model.spec = world.model.spec.model_copy(update={"contracts": world.model.spec.contracts | contracts})
    assert [o.table for o in world.publish("one").outcomes] == ["silver.shop.orders", "silver.shop.customers"]
    assert world.status("one", "silver.shop.stock") == "held"


def test_a_staging_no_gate_has_judged_is_not_published(world: Any) -> None:
    """Rule 18."""
    world.plan("one")
    world.extract("one", "orders")
    report = publishing.publish_bronze(world, world.context("one"))
    assert (report.held, report.release) == (("bronze.shop.orders",), None)


def test_clearing_a_published_run_changes_nothing(world: Any) -> None:
    """Rule 9: no read, no job, no release."""
    world.whole("one")
    world.source.rows["orders"] = 9
    before, releases, jobs = world.mains(), world.runs.releases("shop"), len(world.engine.jobs)
    assert world.whole("one") is None
    assert (world.mains(), world.runs.releases("shop"), len(world.engine.jobs)) == (before, releases, jobs)


def test_a_release_counts_the_rows_its_gate_counted(world: Any) -> None:
    """A staging counts kept tombstones and ended versions, too, which no reader takes for rows."""
    counted = CheckResult(name="key is unique", type="duplicate", outcome="passed", path=KEY_CHECK, rows_tested=2)
    world.bronze("one")
    bronze = {item.table.dotted: item.rows for release in world.runs.current() for item in release.tables}
    world.engine.twist = lambda verdict: verdict.model_copy(update={"checks": (*verdict.checks, counted)})
    refinement.run(world, world.context("one"))
    judged = world.validate("one", Layer.SILVER)
    assert {item.rows for item in judged.outcomes} == {2}
    report = world.publish("one")
    assert {item.rows for item in _audited(world).tables} == {2}
    assert {item.rows for item in report.changed} == {item.rows for item in report.outcomes} == {2}
    assert 2 not in bronze.values()


def test_publishing_twice_makes_one_release(world: Any) -> None:
    """Rule 9: also when the process died before it marked its stagings."""
    world.bronze("one")
    world.silver("one")
    first = world.publish("one")
    for record in world.runs.staged(world.context("one").key, "refine_to_silver"):
        world.runs.mark_staged(record.staged.attempt, record.staged.table, "staged")
    assert world.publish("one").release == first.release


def test_a_base_that_moved_is_terminal(world: Any) -> None:
    """Rule 18: publish never stages again."""
    world.bronze("one")
    world.silver("one")
    staged = world.runs.staged(world.context("one").key, "refine_to_silver")[0].staged
    world.catalog.stage_files(staged.table, "main", [], {"headwater.run-key": "somebody else"})
    before = world.mains()
    with pytest.raises(StaleBaseError):
        world.publish("one")
    assert world.mains() == before


def test_a_later_publish_settles_what_was_held(world: Any) -> None:
    """Rule 21: its branch goes, too."""
    world.engine.broken = {"silver.shop.stock"}
    world.whole("one")
    held = world.runs.held()
    assert [record.staged.table.dotted for record in held] == ["silver.shop.stock"]
    world.engine.broken = set()
    world.whole("two")
    assert world.runs.held() == ()
    assert world.status("one", "silver.shop.stock") == "superseded"
    assert world.catalog.head(held[0].staged.table).branches == {}


def test_a_green_run_gives_its_leases_back(world: Any) -> None:
    """Rule 25."""
    assert world.whole("one") is None
    assert world.runs.leases() == ()
    assert world.runs.run(world.context("one").key).state == "success"


@pytest.mark.parametrize(
    ("broken", "states", "state"),
    [
        (set(), {"emit_lineage": "failed", "publish": "success"}, "failed"),
        ({"silver.shop.stock"}, {"publish": "success"}, "held"),
        ({"silver.shop.stock"}, {"emit_lineage": "failed"}, "failed"),
        (set(), {"emit_lineage": "skipped", "publish": "upstream_failed"}, "success"),
    ],
)
def test_a_run_is_red_if_and_only_if_something_failed_or_was_held(
    world: Any, broken: set[str], states: dict[str, str], state: str
) -> None:
    """Rule 25: red or green, the leases are free for whoever waits."""
    world.engine.broken = broken
    world.bronze("one")
    world.silver("one")
    world.publish("one")
    if state == "success":
        world.close("one", **states)
    else:
        with pytest.raises(RunNotGreenError) as red:
            world.close("one", **states)
        assert red.value.reported
        assert set(red.value.message.split("; ", 1)[1].replace("failed: ", "").replace("held: ", "").split("; ")) == (
            {task for task, ended in states.items() if ended == "failed"} | broken
        )
    record = world.runs.run(world.context("one").key)
    assert (record.state, set(record.held)) == (state, broken)
    assert world.runs.leases() == ()


def test_closing_drops_branches_that_can_no_longer_be_published(world: Any) -> None:
    """Rule 25: those of held stagings are kept for a person."""
    world.engine.broken = {"bronze.shop.orders"}
    world.bronze("one")
    (record,) = world.runs.held()
    with pytest.raises(RunNotGreenError):
        world.close("one")
    head = world.catalog.head(world.context("one").tables(Layer.BRONZE)[0])
    assert set(head.branches) == {record.staged.branch}
    world.runs.mark_staged(record.staged.attempt, record.staged.table, "discarded")
    with pytest.raises(RunNotGreenError):
        world.close("one")
    assert world.catalog.head(record.staged.table).branches == {}


@pytest.mark.parametrize(
    ("broken", "closed"), [(set(), {7}), ({"silver.shop.orders"}, {7}), ({"silver.shop.stock"}, set())]
)
def test_closing_a_run_closes_the_incidents_it_healed(
    world: Any, incident_of: Callable[[str], Incident], broken: set[str], closed: set[int]
) -> None:
    """A red run heals the tables it released all the same."""
    world.incidents.open = [incident_of("silver.shop.stock")]
    world.engine.broken = broken
    world.whole("one")
    assert set(world.incidents.closed) == closed
