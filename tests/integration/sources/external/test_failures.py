"""A service that refuses, and a job that fails, are said in words, and nothing is started again."""

from __future__ import annotations

import pytest
from tests.integration.sources.external.deliveries import HTTP, Delivered, with_job
from tests.integration.sources.external.job_service import TOKEN, JobService

from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.domain.job_errors import JobFailedError, JobOverdueError
from headwater.services.external_jobs import JobRunningError


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
