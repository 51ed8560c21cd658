"""refine_to_silver and build_gold: what a Spark job is asked for, and what becomes of its answer (rules 8, 20, 21)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import CatalogError, ContractBrokenError, TransformError
from headwater.domain.names import Layer
from headwater.domain.spec import SqlExtract
from headwater.ports.run_store import SetAside
from headwater.services.accepting import accept
from headwater.services.held import discard
from headwater.services.stages import building, refinement

SILVER = tuple(f"silver.shop.{table}" for table in ("orders", "customers", "stock"))
REVENUE = "gold.shop.revenue"


def _refine(world: Any, run_id: str) -> Any:
    return refinement.run(world, world.context(run_id))


def _build(world: Any, run_id: str) -> Any:
    return building.run(world, world.context(run_id))


def test_a_quiet_run_starts_no_engine_job(world: Any) -> None:
    """Rule 8."""
    assert world.whole("one") is None
    asked = len(world.engine.jobs)
    assert world.whole("two") is None
    assert world.engine.jobs[asked:] == []


def test_gold_of_mended_sql_is_rebuilt_though_nothing_new_arrived(world: Any) -> None:
    """Rule 8: a quiet source skips extraction only."""
    world.whole("one")
    world.model.code = "v2"
    asked = len(world.engine.jobs)
    assert world.whole("two") is None
    assert world.engine.kinds()[asked:] == ["build_gold", "validate"]
    assert world.batch(REVENUE) == 2


def test_gold_reads_exactly_the_silver_this_run_judged(world: Any) -> None:
    """Rule 15."""
    world.whole("one")
    world.source.rows["orders"] = 2
    world.bronze("two")
    world.silver("two")
    _build(world, "two")
    staged = next(r.staged for r in world.runs.staged(world.context("two").key, "refine_to_silver"))
    inputs = world.engine.jobs[-1].build[0].inputs
    assert inputs["silver.shop.orders"].snapshot_id == staged.staged != world.main("silver.shop.orders")
    assert inputs["silver.shop.customers"].snapshot_id == world.main("silver.shop.customers")


def test_gold_is_not_built_from_silver_that_is_held(world: Any) -> None:
    """Rule 20."""
    world.engine.broken = {SILVER[0]}
    world.bronze("one")
    world.silver("one")
    (outcome,) = _build(world, "one").outcomes
    assert (outcome.status, outcome.note) == ("waiting", "silver.shop.orders is not to be had in this run")


@pytest.mark.parametrize("how", ["failing", "silent"])
def test_a_failing_table_stops_no_neighbour_and_closes_its_group(world: Any, how: str) -> None:
    """Rule 20."""
    getattr(world.engine, how).add(SILVER[0])
    world.bronze("one")
    report = world.silver("one")
    assert {o.table: o.status for o in report.outcomes} == dict(
        zip(SILVER, ("failed", "staged", "staged"), strict=True)
    )
    assert report.held == (SILVER[0],)
    assert [(told.cause, told.table) for told in world.reported] == [("transform_failed", SILVER[0])]
    world.gold("one")
    assert [o.table for o in world.publish("one").outcomes] == ["silver.shop.stock"]
    assert world.status("one", SILVER[1]) == "held"


def test_the_stage_is_red_when_every_table_failed(world: Any) -> None:
    world.engine.failing = set(SILVER)
    world.bronze("one")
    with pytest.raises(TransformError, match=r"silver\.shop\.orders: division by zero") as red:
        _refine(world, "one")
    assert red.value.reported
    assert len(world.reported) == 3


def test_an_error_of_a_table_names_it_once_and_says_each_thing_in_its_place(world: Any) -> None:
    """The alert's one line is the sentence; what was got fills its likely cause, and what to do stands in the log."""
    world.engine.failing = {SILVER[0]}
    world.engine.said = {"error": f"Spark could not make {SILVER[0]}: no column x", "got": "x", "remedy": "Mend it."}
    world.bronze("one")
    (outcome, *_) = _refine(world, "one").outcomes
    (told,) = world.reported
    assert told.message == outcome.note == f"Spark could not make {SILVER[0]}: no column x"
    assert told.facts["got"] == "x"
    world.engine.failing = set(SILVER)
    with pytest.raises(TransformError) as red:
        _refine(world, "one")
    assert (red.value.got, red.value.remedy) == ("x", "Mend it.")


@pytest.mark.parametrize("cause", ["catalog_down", "catalog_refused", "warehouse_down", "warehouse_refused"])
def test_a_table_that_the_storage_failed_is_told_as_that(world: Any, cause: str) -> None:
    """Not as a fault of its SQL, which somebody would look for in vain."""
    world.engine.failing, world.engine.cause = set(SILVER), cause
    world.bronze("one")
    with pytest.raises(CatalogError) as red:
        _refine(world, "one")
    assert red.value.code == cause
    assert {told.cause for told in world.reported} == {cause}


def test_a_second_try_keeps_what_the_first_staged(world: Any) -> None:
    """Rule 8: only the table that failed is done again; also where the first try created the tables."""
    world.engine.failing = {SILVER[0]}
    world.bronze("one")
    _refine(world, "one")
    world.engine.failing = set()
    again = _refine(world, "one")
    assert [item.silver.dotted for item in world.engine.jobs[-1].refine] == [SILVER[0]]
    assert {o.table: o.status for o in again.outcomes} == dict.fromkeys(SILVER, "staged")
    world.silver("one")
    world.gold("one")
    world.publish("one")
    world.close("one")
    assert world.batch(REVENUE) == 1


def test_what_older_sql_staged_is_not_published_when_the_newer_fails(world: Any) -> None:
    """Rules 8 and 20."""
    world.bronze("one")
    world.silver("one")
    world.model.code, world.engine.failing = "v2", {SILVER[0]}
    world.silver("one")
    world.gold("one")
    assert [o.table for o in world.publish("one").outcomes] == ["silver.shop.stock"]
    assert world.status("one", SILVER[0]) == "discarded"


def test_a_discard_holds_for_the_batches_it_was_made_for(world: Any) -> None:
    """Rule 21: rows that arrive later are judged anew."""
    world.bronze("one")
    for rule, up_to in (("id is positive", 1), ("long ago", 0)):
        world.runs.save_set_aside(
            SetAside(
                table=world.context("one").all_tables()[3], rule=rule, predicate="id < 0 OR id IS NULL",
                up_to_batch=up_to, by="ann", reason="known",
            )
        )  # fmt: skip
    _refine(world, "one")
    asked = {item.silver.dotted: item.set_aside for item in world.engine.jobs[-1].refine}
    assert asked[SILVER[0]] == {
        "id is positive, set aside by ann: known": "(id < 0 OR id IS NULL) AND `_hw_batch` <= 1"
    }
    assert asked[SILVER[2]] == {}


@pytest.mark.parametrize("mode", ["snapshot", "incremental"])
def test_what_a_held_full_extract_broke_is_judged_in_the_newer_extract_only(world: Any, mode: str) -> None:
    """Rules 21, 31: the newer one brings every row again; an incremental extract does not, so its rows stay judged."""
    spec = world.model.spec
    extract = SqlExtract.model_validate({"mode": mode, "cursor": "id"})
    tables = tuple(table.model_copy(update={"extract": extract}) for table in spec.tables)
    world.model.spec = spec.model_copy(update={"tables": tables})
    world.engine.broken = {SILVER[2]}
    world.whole("one")
    world.source.rows["stock"] = 2
    world.whole("two")
    asked = {item.silver.dotted: item.set_aside for item in world.engine.jobs[-2].refine}
    rule = "id is positive, held in run one and delivered again since"
    assert asked == {SILVER[2]: {rule: "(id < 0) AND `_hw_batch` <= 1"} if mode == "snapshot" else {}}


def test_silver_waits_for_bronze_that_was_never_published(world: Any) -> None:
    """Rule 20."""
    world.engine.broken = {"bronze.shop.orders"}
    world.bronze("one")
    assert {o.table: o.status for o in _refine(world, "one").outcomes}[SILVER[0]] == "waiting"


def _divert(world: Any, *tables: str, rows: int) -> None:
    world.engine.diverting = set(tables)
    world.engine.diverted = dict.fromkeys(tables, (rows, 1000))


@pytest.mark.parametrize("rows", [10, 11])
def test_a_table_that_lost_too_many_rows_is_held_with_its_numbers(world: Any, rows: int) -> None:
    """Above 1 % and ten rows; the diverted rows are to be seen all the same (rule 40)."""
    _divert(world, SILVER[2], rows=rows)
    world.bronze("one")
    world.silver("one")
    world.gold("one")
    published = [o.table for o in world.publish("one").outcomes]
    assert (SILVER[2] in published) == (rows == 10)
    assert world.status("one", SILVER[2]) == ("published" if rows == 10 else "held")
    assert world.batch("quarantine.shop.stock") == 1
    if rows == 11:
        (told,) = world.reported
        assert (told.cause, told.table) == ("contract_broken", SILVER[2])
        assert (told.facts["count"], told.facts["rows"], told.facts["measured"]) == ("11", "1000", "1.1 %")
        assert told.facts["threshold"] == "1.0% of the rows, or 10 rows"


def test_ten_rows_of_few_are_tolerated_and_more_of_many(world: Any) -> None:
    world.engine.diverted = {SILVER[0]: (10, 10), SILVER[1]: (11, 1100)}
    world.bronze("one")
    world.silver("one")
    assert world.runs.held() == ()


def test_quarantine_is_published_also_when_every_table_lost_too_much(world: Any) -> None:
    """Rule 40."""
    _divert(world, *SILVER, rows=500)
    world.bronze("one")
    with pytest.raises(ContractBrokenError, match="500 of 1,000 rows broke a row rule"):
        world.silver("one")
    assert [world.batch(f"quarantine.shop.{table}") for table in ("orders", "customers", "stock")] == [1, 1, 1]


def test_rows_a_person_discarded_are_not_too_many(world: Any) -> None:
    """Rule 21: a discard goes on, however many rows it concerns."""
    _divert(world, SILVER[0], rows=500)
    world.bronze("one")
    table = next(name for name in world.context("one").all_tables() if name.dotted == SILVER[0])
    world.runs.save_set_aside(
        SetAside(table=table, rule="id is positive", predicate="id < 0", up_to_batch=1, by="ann", reason="known")
    )
    world.silver("one")
    assert world.runs.held() == ()


def test_a_table_that_lost_too_many_rows_is_accepted_without_them(world: Any, incident_of: Any) -> None:
    """Rules 21 and 40: what is held is the rest of the batch; the diverted rows stay in quarantine."""
    _divert(world, SILVER[2], rows=500)
    world.whole("one")
    (record,) = world.runs.held()
    accept(world, incident_of(SILVER[2]), "ann", "known importer")
    world.validate("one", Layer.SILVER)
    world.publish("one")
    world.close("one")
    assert world.main(SILVER[2]) == record.staged.staged
    assert world.batch("quarantine.shop.stock") == 1


def test_a_discard_of_too_many_rows_lets_the_next_run_go_on_without_them(world: Any, incident_of: Any) -> None:
    """Rule 21: nothing more is set aside than the rules divert, and a later batch is judged by its share again."""
    _divert(world, SILVER[2], rows=500)
    world.whole("one")
    (made,) = discard(world, incident_of(SILVER[2]), "ann", "known importer")
    assert (made.predicate, made.up_to_batch) == ("false", 1)
    assert world.whole("two") is None
    assert world.batch(SILVER[2]) == 1
    world.source.rows["stock"] = 9
    assert world.whole("three") is not None
    assert world.status("three", SILVER[2]) == "held"


def test_an_older_discard_catches_what_the_lag_reads_again_and_excuses_nothing_else(world: Any) -> None:
    """Rules 21 and 40: later batches are judged by their share of diverted rows as ever."""
    _divert(world, SILVER[0], rows=500)
    world.bronze("one")
    table = next(name for name in world.context("one").all_tables() if name.dotted == SILVER[0])
    discard = SetAside(table=table, rule="old", predicate="id < 0", up_to_batch=0, by="ann", reason="known")
    world.runs.save_set_aside(discard.model_copy(update={"up_to_cursor": "2013-01-01"}))

    world.silver("one")
    assert world.status("one", SILVER[0]) == "held"
    asked = next(item for job in world.engine.jobs for item in job.refine if item.silver == table)
    assert asked.set_aside == {}
    assert "old, set aside by ann: known" in asked.quarantine_rules
