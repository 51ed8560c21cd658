"""A job elsewhere is started once per run and waited for, whatever becomes of the service's answers."""

from __future__ import annotations

import pytest
from tests.integration.sources.external.deliveries import FACTORY, HTTP, Delivered, with_job
from tests.integration.sources.external.job_service import JobService

from headwater.domain.errors import (
    SourceUnreachableError,
)
from headwater.domain.job_errors import JobUncertainError
from headwater.services.external_jobs import JobRunningError


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


def test_a_500_may_have_started_the_job_and_is_looked_up(world: Delivered, service: JobService) -> None:
    service.refuse = {"/jobs": (500, {})}
    world.plan("one")
    with pytest.raises(SourceUnreachableError):
        world.extract("one", "orders")
    record = world.runs.job(world.context("one").key, "bronze.shop.orders")
    assert record is not None
    assert (record.asked, record.id) == (True, None)
