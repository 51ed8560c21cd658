"""The RunStore port in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from headwater.adapters.memory.chunks import MemoryChunks
from headwater.adapters.memory.leases import MemoryLeases
from headwater.domain.errors import RequestError
from headwater.domain.external import JobRecord
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release
from headwater.domain.run import RunPlan
from headwater.domain.staging import StageName, Verdict
from headwater.ports.run_store import RunRecord, SetAside, StagedRecord


class MemoryRunStore(MemoryLeases, MemoryChunks):
    """Dictionaries keep the order of insertion, which is the order the port speaks of."""

    def __init__(self) -> None:
        super().__init__(threading.RLock())
        self._chunks, self._claims = {}, {}
        self._installation = str(uuid4())
        self._plans: dict[str, tuple[RunPlan, str]] = {}
        self._runs: dict[str, RunRecord] = {}
        self._staged: dict[tuple[str, TableName], StagedRecord] = {}
        self._verdicts: dict[tuple[TableName, int], Verdict] = {}
        self._set_aside: dict[tuple[TableName, str, int], SetAside] = {}
        self._releases: dict[str, Release] = {}
        self._green: dict[str, datetime] = {}
        self._jobs: dict[tuple[str, str], JobRecord] = {}

    def installation(self) -> str:
        return self._installation

    def save_plan(self, plan: RunPlan, spec_document: str, bundle_version: str | None = None) -> RunPlan:  # noqa: ARG002 - the port's, kept for audits only
        return self._plans.setdefault(str(plan.run_key), (plan, spec_document))[0]

    def replace_plan(self, plan: RunPlan, spec_document: str) -> None:
        key = str(plan.run_key)
        if any(release.run_key == key and release.status == "published" for release in self._releases.values()):
            raise RequestError("a run that has published cannot be planned again (rule 7)", got=key)
        self._plans[key] = (plan, spec_document)

    def renew_plan(self, plan: RunPlan, spec_document: str) -> None:
        self._plans[str(plan.run_key)] = (plan, spec_document)

    def plan(self, run_key: str) -> RunPlan | None:
        return self._plans[run_key][0] if run_key in self._plans else None

    def spec_document(self, run_key: str) -> str | None:
        return self._plans[run_key][1] if run_key in self._plans else None

    def save_job(self, record: JobRecord) -> None:
        self._jobs[record.run_key, record.table] = record

    def job(self, run_key: str, table: str) -> JobRecord | None:
        return self._jobs.get((run_key, table))

    def save_run(self, record: RunRecord) -> None:
        self._runs[str(record.run_key)] = record

    def runs(self, pipeline: str | None = None, limit: int = 20) -> tuple[RunRecord, ...]:
        newest_first = reversed(self._runs.values())
        found = [run for run in newest_first if pipeline in (None, run.run_key.dag_id)]
        return tuple(sorted(found, key=lambda run: run.planned_at, reverse=True))[:limit]

    def run(self, run_key: str) -> RunRecord | None:
        return self._runs.get(run_key)

    def save_staged(self, record: StagedRecord) -> None:
        self._staged[record.staged.attempt, record.staged.table] = record

    def staged(self, run_key: str, stage: StageName | None = None) -> tuple[StagedRecord, ...]:
        newest: dict[tuple[str, TableName], StagedRecord] = {}
        for record in self._staged.values():
            if record.run_key == run_key and stage in (None, record.stage):
                newest.pop((record.stage, record.staged.table), None)
                newest[record.stage, record.staged.table] = record
        return tuple(newest.values())

    def held(self, table: TableName | None = None) -> tuple[StagedRecord, ...]:
        found = [r for r in self._staged.values() if r.status == "held" and table in (None, r.staged.table)]
        return tuple(reversed(found))

    def mark_staged(self, attempt: str, table: TableName, status: str) -> None:
        if record := self._staged.get((attempt, table)):
            changed = StagedRecord.model_validate(record.model_dump() | {"status": status})
            self._staged[attempt, table] = changed

    def live_branches(self) -> dict[str, tuple[str, ...]]:
        branches: dict[str, tuple[str, ...]] = {}
        for record in self._staged.values():
            if record.status in {"staged", "held"}:
                table = record.staged.table.dotted
                branches[table] = (*branches.get(table, ()), record.staged.branch)
        return branches

    def save_verdict(self, run_key: str, verdict: Verdict) -> None:  # noqa: ARG002 - the port's, kept for audits only
        self._verdicts[verdict.table, verdict.snapshot_id] = verdict

    def verdict(self, table: TableName, snapshot_id: int) -> Verdict | None:
        return self._verdicts.get((table, snapshot_id))

    def save_set_aside(self, item: SetAside) -> None:
        self._set_aside.setdefault((item.table, item.rule, item.up_to_batch), item)

    def set_aside(self, table: TableName, after_batch: int) -> tuple[SetAside, ...]:
        found = self._set_aside.values()
        return tuple(item for item in found if item.table == table and item.up_to_batch > after_batch)

    def save_release(self, release: Release) -> None:
        with self._lock:
            stored = self._releases.get(release.id)
            if stored is None or stored.status != "published":
                self._releases[release.id] = release

    def release(self, release_id: str) -> Release | None:
        return self._releases.get(release_id)

    def releases(self, pipeline: str | None = None, limit: int = 20) -> tuple[Release, ...]:
        found = [release for release in self._releases.values() if pipeline in (None, release.pipeline)]
        return tuple(reversed(found))[:limit]

    def pending_releases(self, pipeline: str) -> tuple[Release, ...]:
        return tuple(r for r in self._releases.values() if r.pipeline == pipeline and r.status == "pending")

    def current(self, layers: Sequence[Layer] | None = None) -> tuple[Release, ...]:
        with self._lock:
            newest = {(r.pipeline, r.scope): r for r in self._releases.values() if r.status == "published"}
        releases = tuple(newest[line] for line in sorted(newest))
        if layers is None:
            return releases
        return tuple(part for part in (release.only(layers) for release in releases) if part.tables)

    def preflight_green(self, content_hash: str) -> bool:
        return content_hash in self._green

    def save_preflight_green(self, content_hash: str, at: datetime) -> None:
        self._green.setdefault(content_hash, at)
