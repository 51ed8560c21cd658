"""Fixtures every kind of test may use: one real Postgres per session, and fresh databases on it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import settings
from xdist.scheduler.loadscope import LoadScopeScheduling

from headwater.adapters.embedded.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.integration.sources.mariadb_under_test import MariaDb
    from tests.integration.storage.secured_stores import SecuredStores

if "AIRFLOW_HOME" not in os.environ:
    # Airflow reads its home when it is first imported, which the modules of tests do while they are collected
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="headwater-airflow-home-")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)

# an example that imports pyiceberg first, or meets a busy machine, is slow and right
settings.register_profile("headwater", deadline=None)
settings.load_profile("headwater")

LANES = {"chain": "chain", "demo": "demo", "spark": "spark", "spark/engines": "engines"}
"""Folder of tests -> what its tests share, so that ``make test``, which runs two processes, starts it once."""


def lane(path: str) -> str:
    """What the tests of a file below this folder share with others; at least the fixtures of their file."""
    folders = (parent.as_posix() for parent in Path(path).parents)  # the innermost first
    return next((LANES[folder] for folder in folders if folder in LANES), path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long lanes first."""
    lanes, here = list(dict.fromkeys(LANES.values())), Path(__file__).parent

    def place(item: pytest.Item) -> int:
        found = lane(str(item.path.relative_to(here)))
        return lanes.index(found) if found in lanes else len(lanes)

    items.sort(key=place)


class LaneScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """No lane is split over two processes."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid.partition("::")[0].removeprefix("tests/"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LaneScheduling:
    """The scheduler of ``make test``."""
    return LaneScheduling(config, log)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL 18 on a free loopback port, without fsync; gone with the session, however that ends."""
    # not tmp_path: pytest closes its folders to the system user that runs Postgres for root
    folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-"))
    with EmbeddedPostgres(folder, durable=False) as server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres_server: EmbeddedPostgres) -> Callable[..., str]:
    """``postgres_database(driver="psycopg")`` makes a fresh, empty database and returns its URL."""

    def create(driver: str | None = "psycopg") -> str:
        name = f"t_{uuid4().hex}"
        postgres_server.create_databases([name])
        return postgres_server.url(name, driver)

    return create


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """One MariaDB per session, for tests whose folder shares what lies below ``tests``; they make databases.

    Or the MySQL that ``HEADWATER_MYSQLD`` names, in its place.
    """
    from tests.integration.sources import mariadb_under_test, mysql_under_test

    chosen = mysql_under_test if mysql_under_test.VARIABLE in os.environ else mariadb_under_test
    with chosen.serving() as server:
        yield server


@pytest.fixture(scope="session")
def secured_stores() -> Iterator[SecuredStores]:
    """One catalog server with TLS and password, and one S3 server with TLS and keys, per session."""
    from tests.integration.storage.secured_stores import serving

    with serving() as stores:
        yield stores
