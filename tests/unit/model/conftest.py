"""A small repository on disk for each test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.model.repository_files import RepositoryFiles

# pytest's importlib mode puts nothing on the path: what tests share is imported from the repository's root
sys.path.append(str(Path(__file__).parents[3]))


@pytest.fixture
def files(tmp_path: Path) -> RepositoryFiles:
    """A repository that loads without a finding."""
    from tests.unit.model.repository_files import RepositoryFiles

    return RepositoryFiles(tmp_path)
