"""The chain with everything real: Postgres, catalog, Spark and files, started once; an installation per test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from tests.chain.installation import ROOT, Installation, Lake
from tests.integration.storage.s3_proxy import S3Proxy, proxied
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.embedded.jars import ensure_jars
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.cli.demo.landing import land_months
from headwater.cli.demo.source_database import load_first_month
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

# of 800 MB, and asked for by naming it: otherwise there is no such test
collect_ignore = [] if "HEADWATER_TRINO_HOME" in os.environ else ["test_trino_reads_releases.py"]


@pytest.fixture(scope="session")
def lake(postgres_server: EmbeddedPostgres) -> Iterator[Lake]:
    """The shared lake, with a Spark Connect server that starts on first use and ends with the session."""
    ensure_jars()
    home = Path(tempfile.mkdtemp(prefix="headwater lake's 100% -"))
    name = f"catalog_{uuid4().hex}"
    postgres_server.create_databases([name])
    catalog = CatalogSettings(
        uri=SecretStr(postgres_server.url(name, "psycopg")),
        jdbc_uri=f"jdbc:postgresql://127.0.0.1:{postgres_server.port}/{name}",
        jdbc_user="postgres",
        jdbc_password=SecretStr(postgres_server.password),
        warehouse=str(home / "warehouse"),
    )
    made = Lake(home, catalog)
    yield made
    settings = Settings(
        home=str(home), repository=str(ROOT), run_store=SecretStr(""), catalog=catalog, spark=SparkSettings(jars="")
    )
    ConnectServer(settings).stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def installation(tmp_path: Path, postgres_server: EmbeddedPostgres, lake: Lake) -> Iterator[Installation]:
    """A fresh installation with January's flights and weather at the source."""
    lake.empty()
    made = Installation(tmp_path, postgres_server, lake)
    with psycopg.connect(made.source_url, autocommit=True) as connection:
        load_first_month(connection)
    land_months(made.landing, range(1, 2))
    yield made
    made.close()


@pytest.fixture(scope="session")
def first_release(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedPostgres, lake: Lake
) -> Installation:
    """Two days of flights, released by run ``r1``: where most tests of a second run begin. Made once, and closed."""
    lake.empty()
    made = Installation(tmp_path_factory.mktemp("first_release"), postgres_server, lake)
    with psycopg.connect(made.source_url, autocommit=True) as connection:
        load_first_month(connection)
        # enough to lose or double rows of, and quicker to refine than a month
        connection.execute("DELETE FROM flights WHERE time_hour >= '2013-01-03'")
    states = made.run("flights", "r1")
    assert set(states.values()) == {"success"}, states
    made.close()
    lake.keep()
    return made


@pytest.fixture
def released(
    tmp_path: Path, postgres_server: EmbeddedPostgres, lake: Lake, first_release: Installation
) -> Iterator[Installation]:
    """An installation of the test's own in which ``first_release`` has just been made."""
    lake.restore()
    made = Installation(tmp_path, postgres_server, lake, like=first_release)
    land_months(made.landing, range(1, 2))
    yield made
    made.close()


@pytest.fixture
def throttling(secured_stores: SecuredStores) -> Iterator[S3Proxy]:
    """An S3 server that says 503 to every twentieth request."""
    with proxied(secured_stores.s3) as proxy:
        proxy.throttled = 20
        yield proxy


@pytest.fixture
def secured(
    tmp_path: Path, postgres_server: EmbeddedPostgres, secured_stores: SecuredStores, throttling: S3Proxy
) -> Iterator[Installation]:
    """January's flights, a catalog that asks for TLS and a password, and a warehouse in S3."""
    home = Path(tempfile.mkdtemp(prefix="headwater-secured-lake-"))
    made = Installation(tmp_path, postgres_server, Lake(home, secured_stores.catalog(endpoint=throttling.endpoint)))
    with psycopg.connect(made.source_url, autocommit=True) as connection:
        load_first_month(connection)
    yield made
    made.close()
    ConnectServer(made.settings).stop()
    shutil.rmtree(home)
