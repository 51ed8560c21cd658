"""What every RunStore does besides leases; run in memory, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headwater.domain.errors import RequestError, StagingError
from headwater.domain.external import JobRecord
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleasedTable, ReleaseKind
from headwater.domain.run import RunKey, RunKind, RunPlan
from headwater.domain.staging import StagedTable, StageName, TableState, Verdict, branch_of, new_attempt
from headwater.ports.chunks import Chunk, ChunkClaim, StoredFile
from headwater.ports.run_store import RunRecord, RunStore, SetAside, StagedRecord

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A = TableName(layer=Layer.BRONZE, source="shop", table="a")
B = TableName(layer=Layer.BRONZE, source="shop", table="b")
S = TableName(layer=Layer.SILVER, source="shop", table="a")
KEY = RunKey(installation="i", dag_id="shop", run_id="manual__1+00:00")


def _plan(spec_hash: str = "s", key: RunKey = KEY) -> RunPlan:
    return RunPlan(run_key=key, kind=RunKind.SCHEDULED, planned_at=NOW, spec_hash=spec_hash)


def _staged(table: TableName, run_key: str = "k", stage: StageName = "extract_to_bronze") -> StagedRecord:
    attempt = new_attempt()
    staged = StagedTable(
        table=table,
        attempt=attempt,
        branch=branch_of(attempt),
        base=1,
        staged=2,
        state=TableState(run_key=run_key, spec_hash="s"),
        rows=3,
    )
    return StagedRecord(run_key=run_key, stage=stage, staged=staged, status="staged", inputs_hash="h", created_at=NOW)


def _release(
    id_: str,
    kind: ReleaseKind = "audited",
    status: str = "published",
    tables: tuple[TableName, ...] = (S,),
    pipeline: str = "shop",
) -> Release:
    released = tuple(ReleasedTable(table=t, snapshot_id=1, metadata_location="m") for t in tables)
    return Release.model_validate(
        {
            "id": id_,
            "run_key": "k",
            "pipeline": pipeline,
            "kind": kind,
            "status": status,
            "created_at": NOW,
            "tables": [item.model_dump() for item in released],
        }
    )


def test_the_installation_keeps_its_id(runs: RunStore) -> None:
    """Rule 1."""
    assert runs.installation() == runs.installation()
    assert len(runs.installation()) == 36


def test_a_retry_keeps_the_first_plan(runs: RunStore) -> None:
    """Rule 5: windows are frozen."""
    assert runs.plan(str(KEY)) is None
    assert runs.save_plan(_plan("first"), "{}").spec_hash == "first"
    assert runs.save_plan(_plan("second"), "{2}").spec_hash == "first"
    assert runs.plan(str(KEY)) == _plan("first")
    assert runs.spec_document(str(KEY)) == "{}"


def test_a_run_plans_again_only_before_it_published(runs: RunStore) -> None:
    """Rule 7; a cleared run keeps its plan with the files of now."""
    runs.save_plan(_plan("first"), "{}")
    runs.replace_plan(_plan("second"), "{2}")
    assert (runs.plan(str(KEY)), runs.spec_document(str(KEY))) == (_plan("second"), "{2}")
    runs.save_release(_release("r-1").model_copy(update={"run_key": str(KEY)}))
    with pytest.raises(RequestError):
        runs.replace_plan(_plan("third"), "{3}")
    runs.renew_plan(_plan("renewed"), "{4}")
    assert (runs.plan(str(KEY)), runs.spec_document(str(KEY))) == (_plan("renewed"), "{4}")


def test_runs_are_listed_newest_first_and_updated_in_place(runs: RunStore) -> None:
    keys = [KEY.model_copy(update={"run_id": f"run {i}"}) for i in range(3)]
    for i, key in enumerate(keys):
        runs.save_run(RunRecord(run_key=key, state="running", planned_at=NOW + timedelta(hours=i)))
    ended = RunRecord(run_key=keys[0], state="held", planned_at=NOW, held=("bronze.shop.a",))
    runs.save_run(ended)
    runs.save_run(RunRecord(run_key=KEY.model_copy(update={"dag_id": "other"}), state="running", planned_at=NOW))
    assert [run.run_key for run in runs.runs("shop")] == keys[::-1]
    assert runs.run(str(keys[0])) == ended
    assert len(runs.runs(limit=2)) == 2
    assert runs.run("nobody") is None


def test_of_each_table_the_newest_staging_counts(runs: RunStore) -> None:
    old, other, new = _staged(A), _staged(B), _staged(A)
    foreign = _staged(A, run_key="another")
    refined = _staged(S, stage="refine_to_silver")
    for record in (old, other, new, foreign, refined):
        runs.save_staged(record)
    assert runs.staged("k", "extract_to_bronze") == (other, new)
    assert runs.staged("k") == (other, new, refined)


def test_what_became_of_a_staging_is_kept_with_it(runs: RunStore) -> None:
    first, second, third = _staged(A), _staged(A), _staged(B)
    for record in (first, second, third):
        runs.save_staged(record)
        runs.mark_staged(record.staged.attempt, record.staged.table, "held")
    runs.mark_staged(third.staged.attempt, B, "published")
    assert [record.staged.attempt for record in runs.held()] == [second.staged.attempt, first.staged.attempt]
    assert runs.held(B) == ()
    assert runs.live_branches() == {A.dotted: (first.staged.branch, second.staged.branch)}
    assert runs.staged("k")[-1].status == "published"


def test_the_newest_verdict_of_a_snapshot_counts(runs: RunStore) -> None:
    """Rules 15, 21: a person's accept follows the gate's no."""
    failed = Verdict(table=A, snapshot_id=5, contract_hash="c", passed=False, checks_declared=1)
    accepted = failed.model_copy(update={"passed": True, "accepted_by": "ann"})
    runs.save_verdict("k", failed)
    runs.save_verdict("k", accepted)
    runs.save_verdict("k", accepted)
    assert runs.verdict(A, 5) == accepted
    assert runs.verdict(A, 6) is None
    assert runs.verdict(B, 5) is None


def test_what_is_set_aside_concerns_batches_up_to_its_own(runs: RunStore) -> None:
    """Rule 21."""
    item = SetAside(table=A, rule="r", predicate="x < 0", up_to_batch=7, by="ann", reason="known")
    runs.save_set_aside(item)
    runs.save_set_aside(item)
    assert runs.set_aside(A, after_batch=6) == (item,)
    assert runs.set_aside(A, after_batch=7) == ()
    assert runs.set_aside(B, after_batch=0) == ()


def test_readers_see_the_newest_published_release_of_each_line(runs: RunStore) -> None:
    """Rule 19."""
    for release in (
        _release("r-1"),
        _release("r-2", kind="bronze", tables=(A,)),
        _release("r-3"),
        _release("r-4", status="pending"),
        _release("r-5", status="aborted"),
        _release("r-6", pipeline="other"),
    ):
        runs.save_release(release)
    assert [release.id for release in runs.current()] == ["r-6", "r-3", "r-2"]
    assert [release.id for release in runs.current([Layer.BRONZE])] == ["r-2"]
    assert [release.id for release in runs.pending_releases("shop")] == ["r-4"]
    assert [release.id for release in runs.releases("shop", limit=3)] == ["r-5", "r-4", "r-3"]
    assert runs.release("r-9") is None


def test_a_release_completed_late_never_hides_a_later_one(runs: RunStore) -> None:
    """Order is the order of intents."""
    runs.save_release(_release("r-1", status="pending"))
    runs.save_release(_release("r-2"))
    runs.save_release(_release("r-1"))
    assert [release.id for release in runs.current()] == ["r-2"]


def test_a_rollback_takes_the_place_of_the_line_it_turned_back(runs: RunStore) -> None:
    """Rule 22."""
    runs.save_release(_release("r-1", kind="bronze", tables=(A,)))
    runs.save_release(_release("r-2"))
    runs.save_release(_release("r-3", kind="rollback", tables=(A,)))
    assert {release.id for release in runs.current()} == {"r-2", "r-3"}


def test_published_is_final(runs: RunStore) -> None:
    runs.save_release(_release("r-1", status="pending"))
    runs.save_release(_release("r-1"))
    runs.save_release(_release("r-1", status="aborted"))
    found = runs.release("r-1")
    assert found is not None
    assert found.status == "published"


def test_green_preflights_are_remembered(runs: RunStore) -> None:
    assert not runs.preflight_green("h")
    runs.save_preflight_green("h", NOW)
    runs.save_preflight_green("h", NOW)
    assert runs.preflight_green("h")


def test_a_release_of_quarantine_has_a_line_of_its_own(runs: RunStore) -> None:
    """Rule 40: rows set aside are shown whatever the gates say, and hide no other release."""
    aside = TableName(layer=Layer.QUARANTINE, source="shop", table="a")
    runs.save_release(_release("r-1", kind="audited", tables=(A,)))
    runs.save_release(_release("r-2", kind="quarantine", tables=(aside,)))

    assert {release.id for release in runs.current()} == {"r-1", "r-2"}


def test_a_job_is_kept_per_run_and_table_and_overwritten_by_what_is_known_later(runs: RunStore) -> None:
    assert runs.job("k", "bronze.shop.a") is None
    asked = JobRecord(
        run_key="k", table="bronze.shop.a", key="x", asked=True, since=NOW, until=NOW + timedelta(hours=1)
    )
    runs.save_job(asked)
    runs.save_job(asked.model_copy(update={"table": "bronze.shop.b"}))
    known = asked.model_copy(update={"id": "job-7"})
    runs.save_job(known)
    assert runs.job("k", "bronze.shop.a") == known
    assert runs.job("other", "bronze.shop.a") is None


def test_chunks_pass_from_attempt_to_attempt_and_belong_to_one_plan(runs: RunStore) -> None:
    """Rule 28: a killed attempt's chunks are found by the next, and an ousted one changes nothing any more."""
    first = ChunkClaim(run_key="k", table="bronze.shop.a", plan="p", attempt="1")
    second = first.model_copy(update={"attempt": "2"})
    file = StoredFile(path="f", rows=3, size_bytes=4, sha256="5")
    chunks = [
        Chunk(number=n, after=("x",), upto=("y", "ä"), attempt="1", files=(file,), next_ordinal=n) for n in range(3)
    ]
    assert runs.claim_chunks(first) == ()
    for chunk in reversed(chunks):
        runs.save_chunk(first, chunk)
    runs.save_chunk(first, chunks[0])
    assert runs.claim_chunks(second) == tuple(chunks)
    with pytest.raises(StagingError):
        runs.save_chunk(first, chunks[0])
    with pytest.raises(StagingError):
        runs.drop_chunks(first, 0)
    runs.drop_chunks(second, 1)
    assert runs.claim_chunks(second) == (chunks[0],)
    assert runs.claim_chunks(second.model_copy(update={"table": "bronze.shop.b"})) == ()
    assert runs.claim_chunks(second.model_copy(update={"plan": "other"})) == ()
    runs.save_chunk(second.model_copy(update={"plan": "other"}), chunks[0])
    runs.forget_chunks("k", "bronze.shop.a")
    assert runs.claim_chunks(second) == ()
