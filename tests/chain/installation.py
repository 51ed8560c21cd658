"""A lake and installations over it: a run store, a source and a repository that a test may edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from pydantic import SecretStr
from tests.chain.stage import run_chain

from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.platform import LocalPlatform
from headwater.adapters.profile import write_profile
from headwater.adapters.run_store import migrate
from headwater.domain.run import RunRequest
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

ROOT = Path(__file__).parents[2]
STAGE = Path(__file__).with_name("stage.py")


@dataclass(frozen=True)
class Lake:
    """What all chain tests share, because a Spark server takes seconds to start: its home, catalog and warehouse."""

    home: Path
    catalog: CatalogSettings

    def empty(self) -> None:
        """Forget every table: the next test finds a catalog nobody has used."""
        with self._sql() as connection:
            found = connection.execute("SELECT to_regclass('iceberg_tables')").fetchone()
            if found and found[0]:
                connection.execute("TRUNCATE iceberg_tables")

    def keep(self) -> None:
        """Remember the tables as they are. No test deletes a file, so these rows are all there is to them."""
        with self._sql() as connection:
            connection.execute("CREATE TABLE kept_tables AS TABLE iceberg_tables")

    def restore(self) -> None:
        """The tables as they were kept, and no other."""
        self.empty()
        with self._sql() as connection:
            connection.execute("INSERT INTO iceberg_tables TABLE kept_tables")

    def _sql(self) -> psycopg.Connection:
        return psycopg.connect(self.catalog.uri.get_secret_value().replace("+psycopg", ""), autocommit=True)


class Installation:
    """A home with its own run store and source, and a repository that tests may edit.

    :param like: whose databases it begins with copies of; nobody may be connected to those.
    """

    def __init__(self, home: Path, server: EmbeddedPostgres, lake: Lake, like: Installation | None = None) -> None:
        self.home = home
        self.databases = names = {part: f"{part}_{uuid4().hex}" for part in ("headwater", "source")}
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for part, name in names.items():
                copied = like.databases[part] if like else "template1"
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(copied))
                )
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

    def fresh(self, **settings: object) -> LocalPlatform:
        """A platform that has cached nothing: as another process sees this installation, or one with other settings."""
        platform = LocalPlatform(self.settings.model_copy(update=settings))
        self._opened.append(platform)
        return platform

    def close(self) -> None:
        """Close what ``fresh`` opened."""
        for platform in self._opened:
            platform.close()

    def run(self, pipeline: str, run_id: str, **request: Any) -> dict[str, str]:
        """Drive one run in this process; returns stage -> outcome."""
        asked = RunRequest.model_validate(request) if request else None
        return run_chain(self.fresh(), pipeline, run_id, asked)

    def process(
        self, pipeline: str, run_id: str, stage: str = "chain", failpoint: str | None = None, **request: Any
    ) -> subprocess.CompletedProcess[str]:
        """One stage as a process of its own, with a failpoint armed."""
        environ = {**os.environ, **({"HEADWATER_FAILPOINT": failpoint} if failpoint else {})}
        environ |= {"CHAIN_REQUEST": RunRequest.model_validate(request).model_dump_json()} if request else {}
        command = [sys.executable, str(STAGE), str(self.profile), pipeline, run_id, stage]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240, check=False)

    def source(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL at the source."""
        with psycopg.connect(self.source_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
