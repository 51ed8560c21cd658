"""A job service of its own for each test, and the platform over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.sources.external.deliveries import Delivered, spec
from tests.integration.sources.external.job_service import JobService, serving


@pytest.fixture
def service() -> Iterator[JobService]:
    with serving() as running:
        yield running


@pytest.fixture
def world(service: JobService, tmp_path: Path) -> Delivered:
    return Delivered(spec(), tmp_path, service)
