"""A source of one table whose columns change between two runs, behind the real extractors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater.adapters.embedded.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.drift.drifting_source import DriftingSource
    from tests.integration.sources.mariadb_under_test import MariaDb

# pytest's importlib mode puts nothing on the path: what tests share is imported from the repository's root
sys.path.append(str(Path(__file__).parents[2]))


@pytest.fixture
def drifting(postgres_server: EmbeddedPostgres, mariadb: MariaDb, tmp_path: Path) -> DriftingSource:
    from tests.drift.drifting_source import DriftingSource

    return DriftingSource(postgres_server, mariadb, tmp_path)
