"""A pipeline of Azure Data Factory, spoken to as its interface says."""

from __future__ import annotations

import pytest
from tests.integration.sources.external.deliveries import FACTORY, Delivered, with_job
from tests.integration.sources.external.job_service import JobService

from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
)
from headwater.domain.job_errors import JobFailedError
from headwater.services.external_jobs import JobRunningError


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
