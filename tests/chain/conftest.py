"""An installation of its own per test that drives the chain: real Postgres, catalog, Spark and files."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from tests.integration.storage.s3_proxy import S3Proxy, proxied
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.embedded.jars import ensure_jars, jar_cache
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.platform import LocalPlatform
from headwater.adapters.profile import write_profile
from headwater.adapters.run_store import migrate
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.cli.demo.landing import land_months
from headwater.cli.demo.source_database import load_first_month
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

ROOT = Path(__file__).parents[2]
STAGE = Path(__file__).with_name("stage.py")


def _driver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chain_stage", STAGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


driver = _driver()


@dataclass(frozen=True)
class Lake:
    """What all chain tests share, because a Spark server takes seconds to start: its home, catalog and warehouse."""

    home: Path
    catalog: CatalogSettings

    def empty(self) -> None:
        """Forget every table: the next test finds a catalog nobody has used."""
        url = self.catalog.uri.get_secret_value().replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute("SELECT to_regclass('iceberg_tables')").fetchone()
            if found and found[0]:
                connection.execute("TRUNCATE iceberg_tables")


class Installation:
    """A home with its own run store and source, and a repository that tests may edit."""

    def __init__(self, home: Path, server: EmbeddedPostgres, lake: Lake) -> None:
        self.home = home
        names = {part: f"{part}_{uuid4().hex}" for part in ("headwater", "source")}
        server.create_databases(list(names.values()))
        self.source_url = server.url(names["source"], None)
        self.repository = home / "repository"
        for part in ("dags", "sql", "include/contracts", "include/runbooks", "tests/sources"):
            shutil.copytree(ROOT / part, self.repository / part)
        self.landing = home / "landing"
        self.landing.mkdir()
        connections = home / "connections.env"
        connections.write_text(
            f"flights_db={server.url(names['source'], None).replace('postgresql://', 'postgres://')}\n"
            f'weather_landing={{"conn_type": "headwater_landing", "extra": {{"path": "{self.landing}"}}}}\n'
        )
        self.settings = Settings(
            home=str(lake.home),
            repository=str(self.repository),
            installation="test",
            run_store=SecretStr(server.url(names["headwater"], "psycopg")),
            catalog=lake.catalog,
            spark=SparkSettings(jars=str(jar_cache())),
            connections_file=str(connections),
        )
        self.profile = home / "profile.yaml"
        write_profile(self.settings, self.profile)
        migrate(self.settings.run_store.get_secret_value())
        self._opened: list[LocalPlatform] = []
        self.platform = self.fresh()

    def fresh(self) -> LocalPlatform:
        """A platform that has cached nothing: as another process sees this installation."""
        platform = LocalPlatform(self.settings)
        self._opened.append(platform)
        return platform

    def close(self) -> None:
        """Close what ``fresh`` opened."""
        for platform in self._opened:
            platform.close()

    def run(self, pipeline: str, run_id: str, **request: Any) -> dict[str, str]:
        """Drive one run in this process; returns stage -> outcome."""
        asked = driver.RunRequest.model_validate(request) if request else None
        states: dict[str, str] = driver.run_chain(self.fresh(), pipeline, run_id, asked)
        return states

    def process(
        self, pipeline: str, run_id: str, stage: str = "chain", failpoint: str | None = None, **request: Any
    ) -> subprocess.CompletedProcess[str]:
        """One stage as a process of its own, with a failpoint armed."""
        environ = {**os.environ, **({"HEADWATER_FAILPOINT": failpoint} if failpoint else {})}
        environ |= {"CHAIN_REQUEST": driver.RunRequest.model_validate(request).model_dump_json()} if request else {}
        command = [sys.executable, str(STAGE), str(self.profile), pipeline, run_id, stage]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240, check=False)

    def source(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL at the source."""
        with psycopg.connect(self.source_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def lake(postgres_server: EmbeddedPostgres) -> Iterator[Lake]:
    """The shared lake, with a Spark Connect server that starts on first use and ends with the session."""
    ensure_jars()
    home = Path(tempfile.mkdtemp(prefix="headwater-lake-"))
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
