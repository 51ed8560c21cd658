"""A shop in a real PostgreSQL, and its table in a lake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.reconciling.lake_under_test import Lake
from tests.integration.sources.sources_under_test import Source, connection_of

from headwater.domain.spec import Silver, SqlExtract, TableSpec


@pytest.fixture
def source(postgres_database: Callable[..., str], tmp_path: Path) -> Source:
    url = postgres_database(None)
    return Source(connection_of(url), url, tmp_path / "extracts")


@pytest.fixture
def lake_of(source: Source, tmp_path: Path) -> Iterator[Callable[..., Lake]]:
    """``lake_of(table)``: the lake of a table of the source."""
    made: list[Lake] = []

    def make(table: TableSpec) -> Lake:
        made.append(Lake(source, table, tmp_path / f"lake{len(made)}"))
        return made[-1]

    yield make
    for lake in made:
        lake.catalog.close()


ORDERS = TableSpec(
    name="orders",
    key=("id",),
    extract=SqlExtract.model_validate({"mode": "incremental", "cursor": "updated_at", "lag": "1h"}),
    silver=Silver(mode="upsert", sequence_by="updated_at"),
)
