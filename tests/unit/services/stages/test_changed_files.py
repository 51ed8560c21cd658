"""A change that destroys something, or that a table cannot follow, stops a run before anything is read (rule 14)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.change import Acknowledgement
from headwater.domain.errors import ChangeRefusedError, RunNotGreenError
from headwater.domain.job import Anew
from headwater.domain.spec import GoldSpec, TableSpec


def _edit(world: Any, table: str, **changes: Any) -> None:
    spec = world.model.spec
    tables = tuple(t.model_copy(update=changes) if t.name == table else t for t in spec.tables)
    world.model.spec = spec.model_copy(update={"tables": tables})


def _edit_gold(world: Any, **changes: Any) -> None:
    spec = world.model.spec
    world.model.spec = spec.model_copy(update={"gold": (spec.gold[0].model_copy(update=changes),)})


def _mode(table: TableSpec, mode: str) -> Any:
    return table.silver.model_copy(update={"mode": mode})


@pytest.fixture
def published(world: Any) -> Any:
    """A world whose every table was published once, and whose source has more."""
    _edit_gold(world, sql="SELECT 1 AS n")
    assert world.whole("one") is None
    world.source.rows["orders"] = 2
    world.source.read.clear()
    return world


def test_unchanged_files_change_nothing(published: Any) -> None:
    assert published.plan("two").changes == ()


def test_a_loss_that_nobody_acknowledged_holds_the_table_and_what_is_made_of_it(published: Any) -> None:
    """Rule 20: ingestion and the neighbours go on."""
    published.source.rows["stock"] = 2
    before = published.mains()
    _edit(published, "orders", key=("id", "day"))
    red = published.whole("two")
    assert "silver.shop.orders" in str(red)
    moved = {dotted for dotted, main in published.mains().items() if before[dotted] != main}
    assert moved == {"bronze.shop.orders", "bronze.shop.stock", "silver.shop.stock"}
    (failure,) = published.reported
    assert (failure.cause, failure.table) == ("change_refused", "silver.shop.orders")
    assert 'key was ["id"]' in failure.facts["change"]
    assert '`acknowledge: [{change: key, was: ["id"]}]`' in failure.facts["change_remedy"]


def test_the_next_run_catches_up_when_the_change_is_taken_back(published: Any) -> None:
    spec = published.model.spec
    _edit(published, "orders", key=("id", "day"))
    assert published.whole("two") is not None
    published.model.spec = spec
    assert published.whole("three") is None
    assert published.batch("silver.shop.orders") == 2


def test_a_cleared_run_whose_change_was_taken_back_ends_green(published: Any) -> None:
    spec = published.model.spec
    _edit(published, "orders", key=("id", "day"))
    published.plan("two")
    published.silver("two")
    with pytest.raises(RunNotGreenError):
        published.close("two")
    published.model.spec, published.model.code = spec, "v2"
    assert published.whole("two") is None


def test_a_cleared_run_forgets_what_it_refused_though_there_is_nothing_to_refine(published: Any) -> None:
    spec = published.model.spec
    _edit(published, "customers", key=("id", "day"))
    published.plan("two")
    published.silver("two")
    published.model.spec, published.model.code = spec, "v2"
    assert published.whole("two") is None
    assert published.batch("silver.shop.customers") == 1


def test_another_cursor_stops_the_run_before_anything_is_read(world: Any) -> None:
    incremental = {"mode": "incremental", "cursor": "u"}
    extract = world.model.spec.table("orders").extract
    _edit(world, "orders", extract=extract.model_copy(update=incremental))
    assert world.whole("one") is None
    _edit(world, "orders", extract=extract.model_copy(update=incremental | {"cursor": "v"}))
    world.source.read.clear()
    with pytest.raises(ChangeRefusedError, match="the earlier cursor"):
        world.plan("two")
    assert world.source.read == []


def test_a_piece_is_never_read_into_full_extracts(published: Any) -> None:
    """Rule 31: compared with the full extract before it, it would delete what it does not bring."""
    extract = published.model.spec.table("orders").extract.model_copy(update={"mode": "incremental", "cursor": "u"})
    _edit(published, "orders", extract=extract)
    with pytest.raises(ChangeRefusedError, match="full extracts tell what was deleted"):
        published.plan("two")
    assert published.source.read == []


def test_an_acknowledged_change_derives_silver_again(published: Any) -> None:
    acknowledged = (Acknowledgement(change="key", was=("id",)),)
    _edit(published, "orders", key=("id", "day"), acknowledge=acknowledged)
    assert published.whole("two") is None
    orders = {item.silver.dotted: item.anew for job in published.engine.jobs for item in job.refine}
    assert orders["silver.shop.orders"] == Anew()
    assert orders["silver.shop.customers"] is None
    assert published.plan("three").changes == ()


def test_a_bounded_rebuild_does_a_pending_change_whole(published: Any) -> None:
    """Rows below the bound would stay as the earlier files made them, and count as made by these."""
    stock = published.model.spec.table("stock")
    silver = stock.silver.model_copy(update={"sequence_by": "u"})
    meant = (Acknowledgement(change="silver.sequence_by", was=None),)
    _edit(published, "stock", silver=silver, acknowledge=meant)
    published.plan("two", rebuild=("silver.shop.stock",), rebuild_from=1)
    published.silver("two")
    (order,) = published.engine.jobs[-2].refine
    assert (order.anew, order.new_table) == (Anew(), False)


def test_a_rebuild_of_one_table_is_not_stopped_by_a_change_of_another(published: Any) -> None:
    _edit(published, "orders", key=("day",))
    assert published.plan("two", rebuild=("silver.shop.stock",)).changes == ()
    published.runs.release_leases(published.context("two").key)
    published.plan("three", rebuild=("silver.shop.orders",))
    published.silver("three")
    assert [failure.table for failure in published.reported] == ["silver.shop.orders"]


def test_gold_follows_its_sql_by_itself_and_the_plan_says_so(published: Any) -> None:
    _edit_gold(published, sql="SELECT 2 AS n")
    (change,) = published.plan("two").changes
    assert change.text.startswith("gold.shop.revenue: sql was")
    assert change.effect == "rebuild"


def test_a_column_that_gold_loses_has_to_be_acknowledged_and_never_stops_silver(published: Any) -> None:
    _edit_gold(published, sql="SELECT 1 AS m")
    assert "gold.shop.revenue" in str(published.whole("two"))
    (failure,) = published.reported
    assert "lost: the columns n" in failure.message
    assert "below gold.revenue" in failure.facts["change_remedy"]
    assert published.batch("bronze.shop.orders") == 2


def test_every_refused_change_of_a_table_is_told_at_once(published: Any) -> None:
    stock = published.model.spec.table("stock")
    _edit(published, "stock", key=("day",), silver=stock.silver.model_copy(update={"sequence_by": "u"}))
    published.whole("two")
    (failure,) = published.reported
    told = f"{failure.message} {failure.facts['others']}"
    assert "silver.sequence_by was" in told
    assert "key was" in told


def test_a_run_of_other_tables_goes_on(published: Any) -> None:
    _edit(published, "orders", key=("day",))
    assert [table.table for table in published.plan("two", tables=("stock",)).tables] == ["stock"]


def test_a_dry_run_shows_what_would_happen_and_refuses_nothing(published: Any) -> None:
    _edit(published, "orders", key=("day",))
    (change,) = published.plan("two", dry_run=True).changes
    assert change.is_open


def test_a_change_stays_a_change_until_it_was_published(published: Any) -> None:
    """The plan of a run that never published is no base to compare with."""
    _edit_gold(published, sql="SELECT 2 AS n")
    published.plan("two")
    published.runs.release_leases(published.context("two").key)
    assert len(published.plan("three").changes) == 1


def test_what_nobody_published_yet_may_change_freely(world: Any) -> None:
    world.plan("one")
    world.runs.release_leases(world.context("one").key)
    _edit(world, "orders", key=("day",))
    assert world.plan("two").changes == ()


def test_a_spec_that_an_older_version_wrote_is_no_base(published: Any) -> None:
    published.runs.spec_document = lambda key: '{"tables": [], "words": "of then"}'
    _edit(published, "orders", key=("day",))
    assert published.plan("two").changes == ()


def test_gold_may_get_another_grain_when_that_is_meant(published: Any) -> None:
    gold: GoldSpec = published.model.spec.gold[0]
    _edit_gold(published, grain=("day", "shop"), acknowledge=(Acknowledgement(change="grain", was=gold.grain),))
    (change,) = published.plan("two").changes
    assert change.acknowledged
