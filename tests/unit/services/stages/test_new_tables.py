"""An acknowledged loss is built in a new physical table, gated like any run, and swapped in at publish (rule 14)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.change import Acknowledgement
from headwater.domain.errors import StaleBaseError
from headwater.domain.job import Anew, BuildTable, RefineTable
from headwater.domain.names import PhysicalName, TableName
from headwater.domain.run import InputRef, RunKey
from headwater.domain.spec import ColumnRule
from headwater.services.held import discard
from headwater.services.homes import homes
from headwater.services.rollback import rollback
from headwater.services.stages.publishing import publish

ORDERS, REVENUE = TableName.parse("silver.shop.orders"), TableName.parse("gold.shop.revenue")


class Over:
    def is_terminal(self, run_key: RunKey) -> bool:
        return True


class KilledError(Exception):
    """Stands for the end of the process."""


def _dying(save: Any) -> Any:
    def run(release: Any) -> None:
        if release.status == "published":
            raise KilledError
        save(release)

    return run


def rename(world: Any) -> None:
    """Orders lose a column by its name, as somebody meant."""
    spec = world.model.spec
    meant = {
        "columns": {"n": ColumnRule(rename="m")},
        "acknowledge": (Acknowledgement(change="columns.n.rename", was=None),),
    }
    tables = tuple(t.model_copy(update=meant) if t.name == "orders" else t for t in spec.tables)
    world.model.spec, world.model.code = spec.model_copy(update={"tables": tables}), "v2"


@pytest.fixture
def renamed(world: Any) -> Any:
    """Published once, then edited; the source has more."""
    assert world.whole("one") is None
    world.source.rows["orders"] = 2
    rename(world)
    return world


def refined(world: Any, table: TableName = ORDERS) -> RefineTable:
    """The newest order for a silver table."""
    orders = (item for job in reversed(world.engine.jobs) for item in job.refine)
    found: RefineTable = next(item for item in orders if item.silver == table)
    return found


def built(world: Any) -> BuildTable:
    order: BuildTable = next(job for job in reversed(world.engine.jobs) if job.kind == "build_gold").build[0]
    return order


def physical(world: Any, table: TableName = ORDERS) -> tuple[PhysicalName, ...]:
    found: tuple[PhysicalName, ...] = world.catalog.physical_tables(table)
    return found


def test_the_plan_says_that_a_new_table_follows(renamed: Any) -> None:
    (change,) = renamed.plan("two").changes
    assert change.text.endswith("(acknowledged); in a new physical table, swapped in at publish")


def test_readers_have_the_old_table_until_the_publish(renamed: Any) -> None:
    """Rule 15: the gate and the gold read what is staged where it lies."""
    before = renamed.catalog.head(ORDERS)
    renamed.bronze("two")
    renamed.silver("two")
    renamed.gold("two")
    (staged,) = physical(renamed)
    assert (refined(renamed).new_table, refined(renamed).anew) == (True, Anew())
    assert renamed.main(ORDERS.dotted) == before.main
    assert built(renamed).homes == {ORDERS.dotted: staged.mark}
    report = renamed.publish("two")
    after = renamed.catalog.head(ORDERS)
    assert ORDERS.dotted in {outcome.table for outcome in report.outcomes}
    assert (after.uuid != before.uuid, after.state.generation, after.branches) == (True, 1, {})
    assert [name.is_replaced for name in physical(renamed)] == [True]


def test_the_next_run_is_incremental_again(renamed: Any) -> None:
    assert renamed.whole("two") is None
    renamed.source.rows["orders"] = 3
    assert renamed.plan("three").changes == ()
    assert renamed.whole("three") is None
    order = refined(renamed)
    assert (order.anew, order.new_table, order.from_batch) == (None, False, 2)
    assert built(renamed).homes == {}
    assert renamed.batch(ORDERS.dotted) == 3


def test_what_follows_the_table_is_made_anew(renamed: Any) -> None:
    spec = renamed.model.spec
    renamed.model.spec = spec.model_copy(update={"gold": (spec.gold[0].model_copy(update={"mode": "append"}),)})
    renamed.model.changing_key = lambda table: ()
    assert renamed.whole("two") is None
    renamed.source.rows["orders"] = 3
    assert renamed.whole("three") is None
    assert built(renamed).follow is not None
    stock = renamed.model.spec.table("customers")
    meant = {"key": ("id", "day"), "acknowledge": (Acknowledgement(change="key", was=("id",)),)}
    tables = tuple(t.model_copy(update=meant) if t.name == stock.name else t for t in renamed.model.spec.tables)
    renamed.model.spec = renamed.model.spec.model_copy(update={"tables": tables})
    assert renamed.whole("four") is None
    assert built(renamed).why_anew == "silver.shop.customers was derived anew"


def test_gold_that_loses_a_column_takes_a_new_table(world: Any) -> None:
    spec = world.model.spec
    gold = spec.gold[0].model_copy(update={"sql": "SELECT 1 AS n, 2 AS m"})
    world.model.spec = spec.model_copy(update={"gold": (gold,)})
    assert world.whole("one") is None
    meant: dict[str, Any] = {"sql": "SELECT 1 AS n"}
    world.model.spec, world.model.code = spec.model_copy(update={"gold": (gold.model_copy(update=meant),)}), "v2"
    (change,) = world.plan("dry", dry_run=True).changes
    meant |= {"acknowledge": (Acknowledgement(change="sql", was=change.was),)}
    world.model.spec = spec.model_copy(update={"gold": (gold.model_copy(update=meant),)})
    assert world.whole("two") is None
    order = built(world)
    assert (order.new_table, order.follow, order.state.generation) == (True, None, 1)
    assert order.why_anew.startswith("a new table")
    assert [name.is_replaced for name in physical(world, REVENUE)] == [True]
    assert world.plan("three").changes == ()


def test_sql_whose_types_change_may_be_acknowledged_into_a_new_table(world: Any) -> None:
    """What SQL does to types shows only when it runs: nothing is lost by the files, so the word is a person's own."""
    spec = world.model.spec
    gold = spec.gold[0].model_copy(update={"sql": "SELECT 1 AS x"})
    world.model.spec = spec.model_copy(update={"gold": (gold,)})
    assert world.whole("one") is None
    gold = gold.model_copy(update={"sql": "SELECT 'a' AS x"})
    world.model.spec = spec.model_copy(update={"gold": (gold,)})
    (change,) = world.plan("dry", dry_run=True).changes
    assert not change.reshapes
    gold = gold.model_copy(update={"acknowledge": (Acknowledgement(change="sql", was=change.was),)})
    world.model.spec = spec.model_copy(update={"gold": (gold,)})
    (change,) = world.plan("dry", dry_run=True).changes
    assert (change.reshapes, change.acknowledged, change.is_open) == (True, True, False)


def test_a_run_killed_after_the_swap_finds_it_done(renamed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules 9, 16: nothing is derived a second time, and no second table is swapped in."""
    renamed.bronze("two")
    renamed.silver("two")
    renamed.gold("two")
    with monkeypatch.context() as patched:
        patched.setattr(renamed.runs, "save_release", _dying(renamed.runs.save_release))
        with pytest.raises(KilledError):
            renamed.publish("two")
    swapped, jobs = renamed.main(ORDERS.dotted), len(renamed.engine.jobs)
    assert [name.is_replaced for name in physical(renamed)] == [True]
    assert renamed.whole("two") is None
    assert (renamed.main(ORDERS.dotted), len(renamed.engine.jobs)) == (swapped, jobs)
    assert renamed.status("two", ORDERS.dotted) == "published"
    assert len(physical(renamed)) == 1


def test_what_a_dead_attempt_staged_apart_is_dropped_by_the_next_acquirer(renamed: Any) -> None:
    """Rule 23; and its publisher, should it wake up, is refused."""
    renamed.bronze("two")
    renamed.silver("two")
    renamed.gold("two")
    (dead,) = physical(renamed)
    renamed.runs.release_leases(renamed.context("two").key)
    assert renamed.whole("three") is None
    assert dead not in physical(renamed)
    swapped = renamed.main(ORDERS.dotted)
    with pytest.raises(StaleBaseError):
        publish(renamed, renamed.context("two"))
    assert renamed.main(ORDERS.dotted) == swapped


def test_a_closed_gate_holds_the_new_table_until_a_person_decides(renamed: Any, incident_of: Any) -> None:
    """Rule 21."""
    before = renamed.main(ORDERS.dotted)
    renamed.engine.broken.add(ORDERS.dotted)
    assert renamed.whole("two") is not None
    (held,) = physical(renamed)
    renamed.plan("other", tables=("stock",))
    renamed.runs.release_leases(renamed.context("other").key)
    assert physical(renamed) == (held,)
    discard(renamed, incident_of(ORDERS.dotted), "ann", "wrong rule")
    assert (physical(renamed), renamed.main(ORDERS.dotted)) == ((), before)


def test_a_rollback_brings_the_earlier_table_back_and_the_next_run_swaps_again(renamed: Any) -> None:
    """Rule 22: as long as the files ask for the new form."""
    first = next(r for r in renamed.runs.releases("shop") if r.kind == "audited")
    before = renamed.catalog.head(ORDERS)
    assert renamed.whole("two") is None
    key = str(renamed.context("back").run_key)
    rollback(renamed.runs, renamed.catalog, renamed.clock, Over(), first.id, run_key=key, holder="ann")
    head = renamed.catalog.head(ORDERS)
    assert (head.uuid, head.main, head.state.batch) == (before.uuid, before.main, 1)
    assert [name.is_replaced for name in physical(renamed)] == [True]
    assert renamed.whole("three") is None
    assert refined(renamed).new_table
    assert len(physical(renamed)) == 2
    assert renamed.batch(ORDERS.dotted) == 2


def test_an_input_of_a_plan_is_read_where_it_lies_now(renamed: Any) -> None:
    """Rules 19, 39: a product whose plan named the release of before the swap."""
    frozen = InputRef(snapshot_id=renamed.main(ORDERS.dotted), batch=1)
    assert homes(renamed.catalog, {ORDERS.dotted: frozen}) == {}
    assert renamed.whole("two") is None
    (replaced,) = physical(renamed)
    gone = InputRef(snapshot_id=7, batch=1)
    assert homes(renamed.catalog, {ORDERS.dotted: frozen, REVENUE.dotted: gone}) == {ORDERS.dotted: replaced.mark}
