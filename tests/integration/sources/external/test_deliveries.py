"""A delivery is what its manifest says, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.sources.external.deliveries import Delivered
from tests.integration.sources.external.job_service import JobService

from headwater.domain.errors import (
    SourceDataError,
)


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
