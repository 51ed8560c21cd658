"""A source database of its own for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.sources.sources_under_test import Source

# pytest's importlib mode puts nothing on the path: what the tests here share is imported from the repository's root
sys.path.append(str(Path(__file__).parents[3]))


@pytest.fixture
def source(postgres_database: Callable[..., str], tmp_path: Path) -> Source:
    from tests.integration.sources.sources_under_test import Source, connection_of

    url = postgres_database(driver=None)
    return Source(connection_of(url), url, tmp_path / "data")
