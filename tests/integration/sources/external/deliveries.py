"""Runs of one table that a job elsewhere delivers: a real service, a real landing folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr
from tests.drift.drifting_source import FileCatalog
from tests.integration.sources.external.job_service import TOKEN, JobService
from tests.unit.services.stages.world import World

from headwater.adapters.jobs.opening import open_job_runner
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.external import ExternalExtract, ExternalJob
from headwater.domain.spec import Owner, Schedule, Silver, SourceSpec, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.jobs import JobRunner

HTTP = {"connection": "jobs", "start": "/jobs", "status": "/jobs/{id}", "find": "/jobs?key={key}"}
FACTORY = {"connection": "factory", "service": "data_factory", "start": "export orders"}
CONTENT = b"id,note\n1,a\n2,b\n"


class Delivered(World):
    """The stages over a real service and a real landing folder."""

    def __init__(self, spec: SourceSpec, folder: Path, service: JobService) -> None:
        super().__init__(spec)
        self.files = FileCatalog(folder / "lake")
        self.catalog = self.engine.catalog = self.files
        self.landing, self.service = folder / "landing", service
        (self.landing / "orders").mkdir(parents=True)

    def resolve(self, connection_id: str) -> ConnectionInfo:
        if connection_id == "landing":
            return ConnectionInfo(id="landing", kind="fs", extra={"path": str(self.landing)})
        address = f"http://127.0.0.1:{self.service.port}"
        if connection_id == "jobs":
            return ConnectionInfo(id="jobs", kind="http", host=address, password=SecretStr(TOKEN))
        extra = {
            "tenantId": "t", "subscription_id": "s", "resource_group_name": "g", "factory_name": "f",
            "management_url": address, "authority_url": address,
        }  # fmt: skip
        return ConnectionInfo(
            id="factory", kind="azure_data_factory", login="client", password=SecretStr(TOKEN), extra=extra
        )

    def open_extractor(self, table: TableSpec, connection_id: str) -> Any:
        return open_extractor(table, self.resolve(connection_id))

    def open_job_runner(self, job: ExternalJob) -> JobRunner:
        return open_job_runner(job, self.resolve(job.connection))

    def deliver(self, content: bytes = CONTENT, **listed: Any) -> None:
        """What the job of the last start writes: its file, then its manifest."""
        body, _ = self.service.started[-1]
        key = str(body.get("key") or body["headwater_key"])
        (self.landing / "orders" / f"{key}.csv").write_bytes(content)
        told = {"path": f"{key}.csv", "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "rows": 2}
        manifest = {"files": [told | listed]}
        (self.landing / "orders" / f"{key}.manifest.json").write_text(json.dumps(manifest))

    def ids(self) -> list[int]:
        found = duckdb.sql(f"SELECT id FROM read_parquet({self.files.staged['bronze']}) ORDER BY 1").fetchall()
        return [int(row[0]) for row in found]


def spec(**job: Any) -> SourceSpec:
    extract = ExternalExtract.model_validate(
        {
            "path": "orders", "columns": {"id": "int", "note": "string"}, "manifest": "orders/{key}.manifest.json",
            "job": job or HTTP,
        }
    )  # fmt: skip
    table = TableSpec(name="orders", key=("id",), extract=extract, silver=Silver(mode="append"))
    return SourceSpec(
        name="shop", file="dags/sources/shop.yaml", description="Orders.", owner=Owner(team="sales"),
        schedule=Schedule(manual=True), connection="landing", tables=(table,),
        contracts={f"{layer}.shop.orders": "checks: []" for layer in ("bronze", "silver")},
    )  # fmt: skip


def with_job(world: Delivered, **job: Any) -> Delivered:
    world.model.spec = spec(**job)
    return world
