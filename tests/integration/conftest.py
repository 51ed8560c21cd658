"""A server that tests of several folders need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[str]:
    """One PostgreSQL 15 per session; tests empty its one database."""
    from tests.integration.sources.postgres15_under_test import serving

    with serving() as url:
        yield url
