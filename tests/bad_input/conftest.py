"""One installation without Spark for all cases of wrong data."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater.adapters.embedded.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.bad_input.shop import Shop
    from tests.unit.model.repository_files import RepositoryFiles

# pytest's importlib mode puts nothing on the path: what tests share is imported from the repository's root
sys.path.append(str(Path(__file__).parents[2]))


@pytest.fixture(scope="session")
def shop(postgres_server: EmbeddedPostgres) -> Iterator[Shop]:
    from tests.bad_input.shop import Shop

    home = Path(tempfile.mkdtemp(prefix="headwater-shop-"))
    yield Shop(home, postgres_server)
    shutil.rmtree(home)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryFiles:
    """A good repository to be spoilt, the one that ``headwater`` works on."""
    from tests.unit.model.repository_files import RepositoryFiles

    monkeypatch.setenv("HEADWATER_REPOSITORY", str(tmp_path))
    return RepositoryFiles(tmp_path)
