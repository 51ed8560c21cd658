"""What closes an incident: a release, a green run that did what it is about, or the next look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.services.incidents.watched import EARLIER, NOON, release

from headwater.adapters.memory.run_store import MemoryRunStore
from headwater.domain.incident import Failure
from headwater.domain.run import RunKey, RunKind, RunPlan, RunRequest, TablePlan, Window
from headwater.ports.run_store import RunRecord
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.watchdog import run_watchdog


def test_a_release_heals_the_tables_it_moved_and_a_green_run_the_rest(desk: IncidentDesk, runs: MemoryRunStore) -> None:
    for table in ("silver.flights.flights", "silver.flights.planes", None):
        desk.report(
            Failure(pipeline="flights", run_id="r0", task_id="t", kind="held", cause="gate_unsure", table=table,
                    message="m", seen_at=EARLIER)
        )  # fmt: skip
    runs.save_release(release("audited", EARLIER - timedelta(hours=1), "silver.flights.planes"))
    runs.save_release(release("audited", NOON - timedelta(minutes=1), "silver.flights.flights"))
    assert run_watchdog(desk, None, {}).closed == 1
    assert {item.table for item in desk.store.list("open")} == {"silver.flights.planes", None}
    key = RunKey(installation="i", dag_id="flights", run_id="r2")
    runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
    assert run_watchdog(desk, None, {}).closed == 2
    assert desk.store.list("open") == ()


@pytest.mark.parametrize(
    ("request_", "healed"),
    [
        (RunRequest(), {"source_unreachable", "gate_unsure", "request_invalid"}),
        (RunRequest(dry_run=True), set()),
        (RunRequest(tables=("planes",)), {"request_invalid"}),
        (RunRequest(rebuild=("silver.flights.flights",)), {"gate_unsure", "request_invalid"}),
        (RunRequest(rebuild=("silver.flights.planes",)), {"request_invalid"}),
    ],
)
def test_a_green_run_heals_what_it_did(
    desk: IncidentDesk, runs: MemoryRunStore, request_: RunRequest, healed: set[str]
) -> None:
    """A rebuild reads nothing: it cannot say that the source answers again."""
    for cause, table in (
        ("source_unreachable", None),
        ("gate_unsure", "silver.flights.flights"),
        ("request_invalid", None),
    ):
        desk.report(
            Failure(
                pipeline="flights", run_id=cause, task_id="t", cause=cause, table=table, message="m", seen_at=EARLIER
            )
        )
    key = RunKey(installation="i", dag_id="flights", run_id="r2")
    runs.save_plan(RunPlan(run_key=key, planned_at=EARLIER, kind=RunKind.SCHEDULED, tables=(), spec_hash="h",
                           request=request_, inputs={}), "{}")  # fmt: skip
    runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
    run_watchdog(desk, None, {})
    assert {item.cause for item in desk.store.list("closed")} == healed


def test_a_note_of_a_changed_source_closes_with_the_first_run_that_reads_and_does_not_meet_it(
    desk: IncidentDesk, runs: MemoryRunStore
) -> None:
    """Neither the run that bore the change heals it, nor one that read nothing, nor one that met it again."""

    def met(run_id: str) -> None:
        desk.report(
            Failure(pipeline="flights", run_id=run_id, task_id="t", kind="notice", cause="schema_changed",
                    table="bronze.flights.flights", message="m", seen_at=EARLIER)
        )  # fmt: skip

    def ended(run_id: str, window: Window) -> int:
        key = RunKey(installation="i", dag_id="flights", run_id=run_id)
        plan = TablePlan(table="flights", base_snapshot=None, batch=1, window=window, spec_hash="h")
        runs.save_plan(RunPlan(run_key=key, planned_at=EARLIER, kind=RunKind.SCHEDULED, tables=(plan,), spec_hash="h",
                               request=RunRequest(), inputs={}), "{}")  # fmt: skip
        runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
        return run_watchdog(desk, None, {}).closed

    met("r1")
    assert ended("r1", Window(kind="snapshot")) == 0
    assert ended("r2", Window(kind="nothing")) == 0
    met("r3")
    assert ended("r3", Window(kind="snapshot")) == 0
    assert ended("r4", Window(kind="snapshot")) == 1


def test_what_reconcile_found_is_healed_by_no_run_and_no_release(desk: IncidentDesk, runs: MemoryRunStore) -> None:
    """A green run says nothing of rows that no run reads: the next comparison closes it."""
    desk.report(
        Failure(pipeline="flights", run_id="r0", task_id="reconcile:flights", cause="source_differs", message="m",
                table="silver.flights.flights", seen_at=EARLIER)
    )  # fmt: skip
    runs.save_release(release("audited", NOON - timedelta(minutes=1), "silver.flights.flights"))
    key = RunKey(installation="i", dag_id="flights", run_id="r2")
    runs.save_run(RunRecord(run_key=key, state="success", planned_at=EARLIER, ended_at=NOON))
    assert run_watchdog(desk, None, {}).closed == 0
    assert len(desk.store.list("open")) == 1
