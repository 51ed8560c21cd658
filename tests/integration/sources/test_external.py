"""A job elsewhere is started once per run, waited for, and its delivery is what its manifest says, or refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr
from tests.drift.drifting_source import FileCatalog
from tests.integration.sources.job_service import TOKEN, JobService, serving
from tests.unit.services.stages.world import World

from headwater.adapters.jobs.opening import open_job_runner
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.domain.external import ExternalExtract, ExternalJob
from headwater.domain.job_errors import JobFailedError, JobOverdueError, JobUncertainError
from headwater.domain.spec import Owner, Schedule, Silver, SourceSpec, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.jobs import JobRunner
from headwater.services.external_jobs import JobRunningError

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


@pytest.fixture
def service() -> Iterator[JobService]:
    with serving() as running:
        yield running


@pytest.fixture
def world(service: JobService, tmp_path: Path) -> Delivered:
    return Delivered(spec(), tmp_path, service)


def with_job(world: Delivered, **job: Any) -> Delivered:
    world.model.spec = spec(**job)
    return world


def test_a_job_is_started_once_waited_for_and_its_files_are_read(world: Delivered, service: JobService) -> None:
    assert world.plan("one").tables[0].window.kind == "job"
    for _ in range(3):
        with pytest.raises(JobRunningError) as running:
            world.extract("one", "orders")
    assert running.value.record is not None
    assert running.value.record.id == "job-1"
    world.deliver()
    service.end()
    world.extract("one", "orders")
    assert world.ids() == [1, 2]
    [(body, headers)] = service.started
    assert headers["Idempotency-Key"] == body["key"]
    assert (body["table"], body["run_key"]) == ("bronze.shop.orders", world.context("one").key)


def test_each_run_has_its_own_job_and_each_file_is_taken_once(world: Delivered, service: JobService) -> None:
    service.on_start = lambda _: (world.deliver(), service.end())  # type: ignore[assignment, func-returns-value]  # what a fast job does
    world.bronze("one")
    world.close("one")
    world.bronze("two")
    assert len({body["key"] for body, _ in service.started}) == 2
    assert world.status("two", "bronze.shop.orders") == "published"


@pytest.mark.parametrize("job", [HTTP, FACTORY], ids=["http", "data_factory"])
def test_a_lost_answer_is_looked_up_and_the_job_is_not_started_again(
    world: Delivered, service: JobService, job: dict[str, str]
) -> None:
    service.lose = 1
    if job is FACTORY:
        service.on_start = lambda _: service.end("InProgress")
    with_job(world, **job).plan("one")
    for _ in range(2):
        with pytest.raises(JobRunningError):
            world.extract("one", "orders")
    assert len(service.started) == 1


def test_a_process_that_died_before_the_answer_looks_the_job_up(world: Delivered, service: JobService) -> None:
    world.plan("one")
    with pytest.raises(JobRunningError):
        world.extract("one", "orders")
    known = world.runs.job(world.context("one").key, "bronze.shop.orders")
    assert known is not None
    world.runs.save_job(known.model_copy(update={"id": None}))
    with pytest.raises(JobRunningError):
        world.extract("one", "orders")
    assert len(service.started) == 1


def test_a_lost_answer_of_a_service_that_cannot_be_asked_is_said(world: Delivered, service: JobService) -> None:
    service.lose = 1
    with_job(world, **{**HTTP, "find": ""}).plan("one")
    for _ in range(2):
        with pytest.raises(JobUncertainError, match="nobody can tell"):
            world.extract("one", "orders")
    assert len(service.started) == 1


def test_a_service_that_starts_nothing_twice_may_be_asked_again(world: Delivered, service: JobService) -> None:
    service.lose, service.deduplicates = 1, True
    with_job(world, **{**HTTP, "find": "", "repeatable": True}).plan("one")
    with pytest.raises(SourceUnreachableError, match="was lost"):
        world.extract("one", "orders")
    with pytest.raises(JobRunningError):
        world.extract("one", "orders")
    assert len(service.started) == 1


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, CredentialsError, "refused connection 'jobs'"),
        (403, NotPermittedError, "may not start the job"),
        (404, SourceTableMissingError, "knows nothing to start the job"),
        (429, SourceUnreachableError, "asks to wait 7 s"),
        (503, SourceUnreachableError, "cannot start the job now"),
        (400, SourceTableMissingError, "does not start the job as it was asked to"),
    ],
)
def test_refusals_are_worded_hold_no_secret_and_start_nothing(
    world: Delivered, service: JobService, status: int, error: type[HeadwaterError], words: str
) -> None:
    service.refuse = {"/jobs": (status, {"Retry-After": "7"})}
    world.plan("one")
    with pytest.raises(error, match=words) as caught:
        world.extract("one", "orders")
    assert TOKEN not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"
    service.refuse = {}
    with pytest.raises(JobRunningError):
        world.extract("one", "orders")
    assert len(service.started) == 1


def test_a_500_may_have_started_the_job_and_is_looked_up(world: Delivered, service: JobService) -> None:
    service.refuse = {"/jobs": (500, {})}
    world.plan("one")
    with pytest.raises(SourceUnreachableError):
        world.extract("one", "orders")
    record = world.runs.job(world.context("one").key, "bronze.shop.orders")
    assert record is not None
    assert (record.asked, record.id) == (True, None)


def test_a_service_that_is_down_is_said(world: Delivered, service: JobService) -> None:
    service.port = 1
    world.plan("one")
    with pytest.raises(SourceUnreachableError, match="did not answer"):
        world.extract("one", "orders")


def test_a_job_that_failed_gives_its_message_and_is_never_started_again(world: Delivered, service: JobService) -> None:
    world.plan("one")
    with pytest.raises(JobRunningError):
        world.extract("one", "orders")
    service.end("failed", "disk full on node 7")
    for _ in range(2):
        with pytest.raises(JobFailedError, match="failed: disk full on node 7") as caught:
            world.extract("one", "orders")
    assert caught.value.facts["job"] == "job-1"
    assert len(service.started) == 1


@pytest.mark.parametrize(("vanishes", "words"), [(True, "knows no job job-1"), (False, "does not know: odd")])
def test_a_job_nobody_knows_or_in_an_undeclared_state_is_a_failure(
    world: Delivered, service: JobService, vanishes: bool, words: str
) -> None:
    world.plan("one")
    with pytest.raises(JobRunningError):
        world.extract("one", "orders")
    service.end("odd")
    if vanishes:
        service.jobs.clear()
    with pytest.raises(JobFailedError, match=words):
        world.extract("one", "orders")


def test_a_job_that_does_not_end_in_time_is_overdue(world: Delivered) -> None:
    with_job(world, **HTTP, timeout="1s").plan("one")
    for _ in range(2):
        with pytest.raises(JobOverdueError) as caught:
            world.extract("one", "orders")
    assert type(caught.value) is JobOverdueError


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ({"size": 3}, "has another size than its manifest says"),
        ({"rows": 7}, "another number of records than its manifest says"),
        ({"sha256": "0" * 64}, "other bytes than its manifest says"),
        ({"path": "missing.csv"}, "listed by its manifest, but not there"),
        ({"path": "../orders.csv"}, "lies outside `path`"),
        ({"size": None}, "is no manifest of a delivery"),
    ],
)
def test_a_delivery_that_is_not_what_its_manifest_says_is_refused(
    world: Delivered, service: JobService, listed: dict[str, Any], words: str
) -> None:
    service.on_start = lambda _: (world.deliver(**listed), service.end())  # type: ignore[assignment, func-returns-value]  # what a fast job does
    world.plan("one")
    with pytest.raises(SourceDataError, match=words):
        world.extract("one", "orders")
    world.deliver()
    world.extract("one", "orders")
    assert world.ids() == [1, 2]
    assert len(service.started) == 1


def test_a_job_that_succeeded_without_a_manifest_delivered_nothing(world: Delivered, service: JobService) -> None:
    service.on_start = lambda _: service.end()
    world.plan("one")
    with pytest.raises(SourceDataError, match="is not there, although the job says that it succeeded"):
        world.extract("one", "orders")


def test_a_delivery_without_files_is_a_quiet_run(world: Delivered, service: JobService) -> None:
    service.on_start = lambda _: service.end()
    world.plan("one")
    with pytest.raises(SourceDataError):
        world.extract("one", "orders")
    key = service.started[0][0]["key"]
    (world.landing / "orders" / f"{key}.manifest.json").write_text('{"files": []}')
    report = world.extract("one", "orders")
    assert [(outcome.status, outcome.note) for outcome in report.outcomes] == [
        ("quiet", "the job delivered no new file")
    ]


@pytest.mark.parametrize(
    ("state", "error"),
    [("Queued", JobRunningError), ("InProgress", JobRunningError), ("Cancelled", JobFailedError),
     ("Failed", JobFailedError), ("Succeeded", None)],
)  # fmt: skip
def test_a_data_factory_is_spoken_to_as_its_interface_says(
    world: Delivered, service: JobService, state: str, error: type[HeadwaterError] | None
) -> None:
    """By protocol only: no data factory can be had."""
    service.on_start = lambda _: (world.deliver(), service.end(state, "of the pipeline"))  # type: ignore[assignment, func-returns-value]  # what a fast job does
    with_job(world, **FACTORY, parameters={"day": "2026-01-01"}).plan("one")
    if error is None:
        world.extract("one", "orders")
        assert world.ids() == [1, 2]
    else:
        with pytest.raises(error, match=f"{state}: of the pipeline"):
            world.extract("one", "orders")
    [(body, headers)] = service.started
    assert (body["day"], headers["Authorization"]) == ("2026-01-01", "Bearer token-of-azure")


def test_a_data_factory_that_gives_no_token_is_said(world: Delivered, service: JobService) -> None:
    service.refuse = {"/token": (401, {})}
    with_job(world, **FACTORY).plan("one")
    with pytest.raises(CredentialsError, match="refused client 'client'"):
        world.extract("one", "orders")
