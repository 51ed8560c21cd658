"""Facts of a run: what it did to which tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.domain.lineage import DatasetFacts, RunFacts, SourcePlace
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunKey, RunKind, RunPlan
from headwater.domain.schema import TableSchema
from headwater.domain.spec import FilesExtract, Silver, SourceSpec, TableSpec
from headwater.domain.staging import StagedTable, TableState, Verdict
from headwater.model.sql.lineage import column_lineage
from headwater.services.lineage.datasets import pipeline_datasets
from headwater.services.lineage.facts import RunOutcome, build_run_facts

NOW = datetime(2013, 2, 1, tzinfo=UTC)


def state() -> TableState:
    return TableState(run_key="i/flights/r1", spec_hash="s")


def released(table: str, snapshot_id: int, rows: int | None, *, moved: bool = True) -> ReleasedTable:
    return ReleasedTable(
        table=TableName.parse(table), snapshot_id=snapshot_id, metadata_location="m", rows=rows, moved=moved
    )


def release(release_id: str, kind: str, *tables: ReleasedTable) -> Release:
    return Release.model_validate(
        {
            "id": release_id,
            "run_key": "i/flights/r1",
            "pipeline": "flights",
            "kind": kind,
            "status": "published",
            "created_at": NOW,
            "tables": tables,
        }
    )


@pytest.fixture
def facts(source: SourceSpec, schemas: dict[str, TableSchema]) -> RunFacts:
    """Bronze and silver planes were published, silver airports is held, gold was not built."""
    plan = RunPlan(
        run_key=RunKey(installation="i", dag_id="flights", run_id="r1"),
        kind=RunKind.SCHEDULED,
        planned_at=NOW,
        spec_hash="s",
    )
    verdict = Verdict(
        table=TableName.parse("silver.flights.airports"),
        snapshot_id=40,
        contract_hash="c",
        passed=False,
        reason="faa is doubled",
        checks_declared=1,
    )
    held = StagedTable(table=verdict.table, attempt="a", branch="hw_a", base=None, staged=40, state=state(), rows=5)
    outcome = RunOutcome(
        state="failed",
        ended_at=NOW,
        releases=(
            release("r-1", "bronze", released("bronze.flights.planes", 10, 7)),
            release(
                "r-2",
                "audited",
                released("silver.flights.planes", 20, 100),
                released("gold.flights.fleet", 30, 3, moved=False),
            ),
        ),
        staged=(held,),
        verdicts=(verdict.model_copy(update={"snapshot_id": 39, "reason": "of another attempt"}), verdict),
        schemas=schemas,
        sources={"flights_db": SourcePlace(platform="postgres", database="aviation")},
        source_changes={"bronze.flights.planes": "column seats may be NULL now"},
    )
    return build_run_facts(source, plan, outcome, column_lineage)


def dataset(facts: RunFacts, table: str) -> DatasetFacts:
    (found,) = [item for item in facts.datasets if item.table.dotted == table]
    return found


def test_a_published_table_moved_and_has_its_rows(facts: RunFacts) -> None:
    silver = dataset(facts, "silver.flights.planes")
    assert (silver.moved, silver.snapshot_id, silver.rows) == (True, 20, 100)
    assert facts.release == "r-2"


def test_bronze_counts_what_was_added_not_what_the_table_holds(facts: RunFacts) -> None:
    bronze = dataset(facts, "bronze.flights.planes")
    assert (bronze.rows, bronze.rows_added) == (None, 7)


def test_a_held_table_did_not_move_and_tells_the_verdict_of_its_own_snapshot(facts: RunFacts) -> None:
    silver = dataset(facts, "silver.flights.airports")
    assert (silver.moved, silver.snapshot_id, silver.rows) == (False, 40, None)
    assert silver.verdict is not None
    assert silver.verdict.reason == "faa is doubled"


def test_a_table_the_release_only_carried_along_did_not_move(facts: RunFacts) -> None:
    gold = dataset(facts, "gold.flights.fleet")
    assert (gold.moved, gold.snapshot_id, gold.verdict) == (False, None, None)


def test_a_table_that_does_not_exist_yet_is_left_out(
    facts: RunFacts, source: SourceSpec, schemas: dict[str, TableSchema]
) -> None:
    plan = RunPlan(
        run_key=RunKey(installation="i", dag_id="flights", run_id="r1"),
        kind=RunKind.SCHEDULED,
        planned_at=NOW,
        spec_hash="s",
    )
    existing = {"bronze.flights.planes": schemas["bronze.flights.planes"]}
    outcome = RunOutcome(state="failed", ended_at=NOW, schemas=existing)
    early = build_run_facts(source, plan, outcome, column_lineage)
    assert [item.table.dotted for item in early.datasets] == ["bronze.flights.planes"]
    assert early.release is None
    assert len(facts.datasets) == 5


def test_a_source_says_what_its_connection_leads_to(facts: RunFacts, source: SourceSpec) -> None:
    assert facts.sources == {"flights_db": SourcePlace(platform="postgres", database="aviation")}
    weather = TableSpec(
        name="observations",
        extract=FilesExtract(path="weather/*.csv", columns={"origin": "string"}),
        silver=Silver(mode="append"),
    )
    landing = source.model_copy(update={"connection": "landing", "tables": (weather,), "gold": ()})
    plan = RunPlan(
        run_key=RunKey(installation="i", dag_id="weather", run_id="r"),
        kind=RunKind.SCHEDULED,
        planned_at=NOW,
        spec_hash="s",
    )
    told = build_run_facts(landing, plan, RunOutcome(state="success", ended_at=NOW), column_lineage)
    assert told.sources == {"landing": SourcePlace(platform="file")}
    (bronze, _) = pipeline_datasets(landing, {}, column_lineage)
    assert bronze.upstreams == ("source:landing:weather/*.csv",)


def test_what_a_source_changed_is_told_of_its_bronze_table(facts: RunFacts) -> None:
    assert dataset(facts, "bronze.flights.planes").source_changes == "column seats may be NULL now"
    assert dataset(facts, "silver.flights.planes").source_changes == ""
