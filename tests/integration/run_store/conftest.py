"""The run stores a behaviour must hold on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.adapters.run_store.tables import METADATA
from headwater.ports.run_store import RunStore


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.db"
    database: Callable[[], str] = request.getfixturevalue("postgres_database")
    return database()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def runs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunStore]:
    if request.param == "memory":
        yield MemoryRunStore()
        return
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_file'), tmp_path)}"
    else:
        url = request.getfixturevalue("migrated_database")
        _empty(url)
    store = SqlRunStore(url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once, copied by each test."""
    path = tmp_path_factory.mktemp("migrated") / "runs.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres_server: EmbeddedPostgres) -> str:
    """Migrated once, emptied before each test."""
    database = f"runs_{uuid4().hex}"
    postgres_server.create_databases([database])
    url = postgres_server.url(database, "psycopg")
    migrate(url)
    return url


def _empty(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    engine.dispose()
