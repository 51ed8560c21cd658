"""What the run store's records need of a table (rules 21, 39, 41)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.services.maintenance.conftest import TABLE, at

from headwater.adapters.memory import MemoryRunStore
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release
from headwater.domain.run import InputRef, RunKey, RunKind, RunPlan
from headwater.domain.staging import StagedTable, TableState
from headwater.ports.run_store import RunRecord, StagedRecord
from headwater.services.maintenance.needing import needed, releases_since

FAR = at(1000)
KEY = RunKey(installation="i", dag_id="sums", run_id="r1")


@pytest.fixture
def runs() -> MemoryRunStore:
    return MemoryRunStore()


def _planned(runs: MemoryRunStore, state: str) -> None:
    ref = InputRef(snapshot_id=6, batch=1)
    plan = RunPlan(
        run_key=KEY, kind=RunKind.SCHEDULED, planned_at=at(1), spec_hash="s", inputs={TABLE.dotted: 5},
        input_refs={TABLE.dotted: ref},
    )  # fmt: skip
    runs.save_plan(plan, "{}")
    runs.save_run(RunRecord.model_validate({"run_key": KEY, "state": state, "planned_at": at(1)}))


def _staged(runs: MemoryRunStore, table: TableName, status: str, **state: object) -> None:
    made = TableState.model_validate({"run_key": str(KEY), "spec_hash": "s", **state})
    staged = StagedTable(table=table, attempt="a", branch="hw_a", base=7, staged=8, state=made, rows=1)
    runs.save_staged(
        StagedRecord.model_validate(
            {"run_key": str(KEY), "stage": "build_gold", "staged": staged, "status": status, "inputs_hash": "h",
             "created_at": at(1)}
        )
    )  # fmt: skip


def test_a_line_that_was_quiet_for_long_keeps_its_release_beyond_any_page(
    runs: MemoryRunStore, release: Callable[..., Release]
) -> None:
    runs.save_release(release(0, 1, kind="quarantine"))
    for day in range(1, 900):
        runs.save_release(release(day, day + 10))
    kept = {item.tables[0].snapshot_id for item in releases_since(runs, "shop", at(890))}
    assert kept == {1, *range(899, 910)}
    assert {item.tables[0].snapshot_id for item in releases_since(runs, "shop", at(0))} == {1, *range(11, 910)}


@pytest.mark.parametrize("state", ["running", "failed", "held"])
def test_inputs_that_a_plan_froze_are_needed_until_its_run_is_done(runs: MemoryRunStore, state: str) -> None:
    _planned(runs, state)
    assert needed(runs, TABLE, FAR).snapshots == {5, 6}


def test_a_run_that_is_done_needs_no_inputs(runs: MemoryRunStore) -> None:
    _planned(runs, "success")
    assert needed(runs, TABLE, FAR).snapshots == frozenset()


@pytest.mark.parametrize("status", ["held", "staged"])
def test_what_waits_needs_its_base_its_head_and_its_state_files(runs: MemoryRunStore, status: str) -> None:
    _planned(runs, "running")
    _staged(runs, TABLE, status, ledger="ledger-a.json", source_columns="source-columns-a.json")
    need = needed(runs, TABLE, FAR)
    assert need.snapshots >= {7, 8}
    assert need.paths == {"ledger-a.json", "source-columns-a.json"}
    assert need.branches == {"hw_a"}
    assert need.attempts == {"a"}


def test_what_waits_needs_what_it_was_made_from(runs: MemoryRunStore) -> None:
    gold = TableName(layer=Layer.GOLD, source="sums", table="sums")
    _staged(runs, gold, "held", inputs={TABLE.dotted: InputRef(snapshot_id=4, batch=1)})
    assert needed(runs, TABLE, FAR).snapshots == {4}


@pytest.mark.parametrize("status", ["published", "discarded", "superseded"])
def test_what_does_not_wait_any_more_needs_nothing(runs: MemoryRunStore, status: str) -> None:
    _staged(runs, TABLE, status, ledger="ledger-a.json")
    need = needed(runs, TABLE, FAR)
    assert (need.snapshots, need.paths, need.branches) == (frozenset(), frozenset(), frozenset())
