"""Runs, plans and the preflight cache."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select

from headwater.adapters.run_store.database import Database, put, put_once
from headwater.adapters.run_store.tables import INSTALLATION, JOBS, PLANS, PREFLIGHTS, RELEASES, RUNS
from headwater.domain.errors import RequestError
from headwater.domain.external import JobRecord
from headwater.domain.run import RunPlan
from headwater.ports.run_store import RunRecord


class Runs(Database):
    """The part of the run store that knows what runs decided and how they ended."""

    def installation(self) -> str:
        with self._transaction() as connection:
            put_once(connection, INSTALLATION, ("id",), {"id": 1, "uuid": str(uuid4())})
            return str(connection.execute(select(INSTALLATION.c.uuid)).scalar_one())

    def save_plan(self, plan: RunPlan, spec_document: str, bundle_version: str | None = None) -> RunPlan:
        key = str(plan.run_key)
        row = {
            "run_key": key,
            "plan": plan.model_dump_json(),
            "spec": spec_document,
            "bundle_version": bundle_version,
        }
        with self._transaction() as connection:
            put_once(connection, PLANS, ("run_key",), row)
            stored = connection.execute(select(PLANS.c.plan).where(PLANS.c.run_key == key)).scalar_one()
        return RunPlan.model_validate_json(stored)

    def replace_plan(self, plan: RunPlan, spec_document: str) -> None:
        key = str(plan.run_key)
        with self._transaction() as connection:
            published = select(RELEASES.c.id).where(RELEASES.c.run_key == key, RELEASES.c.status == "published")
            if release := connection.execute(published.limit(1)).scalar():
                raise RequestError(
                    "a run that has published cannot be planned again (rule 7)", got=f"{key} made release {release}",
                    remedy="start a new run", facts={"release": release},
                )  # fmt: skip
            put(connection, PLANS, ("run_key",), _plan_row(plan, spec_document))

    def renew_plan(self, plan: RunPlan, spec_document: str) -> None:
        with self._transaction() as connection:
            put(connection, PLANS, ("run_key",), _plan_row(plan, spec_document))

    def plan(self, run_key: str) -> RunPlan | None:
        with self._transaction() as connection:
            stored = connection.execute(select(PLANS.c.plan).where(PLANS.c.run_key == run_key)).scalar()
        return None if stored is None else RunPlan.model_validate_json(stored)

    def spec_document(self, run_key: str) -> str | None:
        with self._transaction() as connection:
            return connection.execute(select(PLANS.c.spec).where(PLANS.c.run_key == run_key)).scalar()

    def save_run(self, record: RunRecord) -> None:
        row = {
            "run_key": str(record.run_key),
            "pipeline": record.run_key.dag_id,
            "planned_us": round(record.planned_at.timestamp() * 1_000_000),
            "document": record.model_dump_json(),
        }
        with self._transaction() as connection:
            put(connection, RUNS, ("run_key",), row)

    def runs(self, pipeline: str | None = None, limit: int = 20) -> tuple[RunRecord, ...]:
        wanted = select(RUNS.c.document).order_by(RUNS.c.planned_us.desc(), RUNS.c.seq.desc()).limit(limit)
        if pipeline is not None:
            wanted = wanted.where(RUNS.c.pipeline == pipeline)
        with self._transaction() as connection:
            return tuple(map(RunRecord.model_validate_json, connection.execute(wanted).scalars()))

    def run(self, run_key: str) -> RunRecord | None:
        with self._transaction() as connection:
            stored = connection.execute(select(RUNS.c.document).where(RUNS.c.run_key == run_key)).scalar()
        return None if stored is None else RunRecord.model_validate_json(stored)

    def save_job(self, record: JobRecord) -> None:
        row = {"run_key": record.run_key, "table_name": record.table, "document": record.model_dump_json()}
        with self._transaction() as connection:
            put(connection, JOBS, ("run_key", "table_name"), row)

    def job(self, run_key: str, table: str) -> JobRecord | None:
        wanted = select(JOBS.c.document).where(JOBS.c.run_key == run_key, JOBS.c.table_name == table)
        with self._transaction() as connection:
            found = connection.execute(wanted).scalar()
        return None if found is None else JobRecord.model_validate_json(found)

    def preflight_green(self, content_hash: str) -> bool:
        wanted = select(PREFLIGHTS.c.green_at).where(PREFLIGHTS.c.content_hash == content_hash)
        with self._transaction() as connection:
            return connection.execute(wanted).scalar() is not None

    def save_preflight_green(self, content_hash: str, at: datetime) -> None:
        row = {"content_hash": content_hash, "green_at": at.isoformat()}
        with self._transaction() as connection:
            put_once(connection, PREFLIGHTS, ("content_hash",), row)


def _plan_row(plan: RunPlan, spec_document: str) -> dict[str, str]:
    return {"run_key": str(plan.run_key), "plan": plan.model_dump_json(), "spec": spec_document}
