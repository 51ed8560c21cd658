"""A source of one table that real stages plan and extract: real Postgres, catalog, run store and landing folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from pydantic import SecretStr
from tests.bad_input.bad_input import WrongData
from tests.chain.stage import Work, context, stages
from tests.unit.model.repository_files import contract

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg.opening import open_catalog
from headwater.adapters.platform import LocalPlatform
from headwater.adapters.profile import write_profile
from headwater.adapters.run_store import migrate
from headwater.domain.errors import HeadwaterError
from headwater.domain.names import Layer
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.services.context import RunContext
from headwater.services.quarantining import publish_quarantine
from headwater.services.stages import closing

READING = ("plan_run", "extract_to_bronze:orders")


@dataclass(frozen=True, slots=True)
class Met:
    """How a run ended: the status its process ends with, the first red stage's code, and its run."""

    exit_status: int
    code: str | None
    run: RunContext


class Shop:
    """One installation for many cases: each begins with an empty catalog and a source of its own."""

    def __init__(self, home: Path, server: EmbeddedPostgres) -> None:
        self.home, self.server = home, server
        self.names = {part: f"{part}_{uuid4().hex}" for part in ("headwater", "catalog")}
        server.create_databases(list(self.names.values()))
        self.repository, self.landing = home / "repository", home / "landing"
        self.connections, self.profile = home / "connections.env", home / "profile.yaml"
        self.connections.touch()
        self.settings = Settings(
            home=str(home / "home"),
            repository=str(self.repository),
            installation="test",
            run_store=SecretStr(server.url(self.names["headwater"], "psycopg")),
            catalog=CatalogSettings(
                uri=SecretStr(server.url(self.names["catalog"], "psycopg")), jdbc_uri="", warehouse=str(home / "lake")
            ),
            spark=SparkSettings(jars=""),
            connections_file=str(self.connections),
        )
        write_profile(self.settings, self.profile)
        migrate(self.settings.run_store.get_secret_value())

    def declare(self, case: WrongData) -> None:
        """Make the case's source, and the repository that reads it."""
        with psycopg.connect(self.server.url(self.names["catalog"], None), autocommit=True) as session:
            if session.execute("SELECT to_regclass('iceberg_tables')").fetchone() != (None,):
                session.execute("TRUNCATE iceberg_tables")
        shutil.rmtree(self.repository, ignore_errors=True)
        shutil.rmtree(self.landing, ignore_errors=True)
        (self.landing / "in").mkdir(parents=True)
        for name, content in case.landed.items():
            (self.landing / "in" / name).write_bytes(content)
        self._make_database(case.encoding)
        self.source(case.source)
        connection = "landing" if case.landed else "shop_db"
        self._write("dags/sources/shop.yaml", _yaml(case, connection))
        for layer in ("bronze", "silver"):
            self._write(f"include/contracts/{layer}/shop/orders.yml", contract(layer, "shop", "orders"))

    def source(self, statements: tuple[str, ...]) -> None:
        """Run SQL at the source; its client says nothing about encodings, as a careless writer."""
        with psycopg.connect(self.source_url, autocommit=True) as session:
            for statement in statements:
                session.execute(statement.encode())

    def run(self, run_id: str) -> Met:
        """Plan and extract as the scheduler would, and close the run."""
        platform = LocalPlatform(self.settings)
        run = context(platform, "shop", run_id)
        work = stages(platform, run)
        try:
            code = next((code for stage in READING if (code := _code(work[stage]))), None)
            return Met(1 if code else 0, code, run)
        finally:
            platform.close()
            self.close(run_id)

    def close(self, run_id: str) -> None:
        """Free what the run holds, whoever ran it."""
        platform = LocalPlatform(self.settings)
        closing.run(platform, context(platform, "shop", run_id), dict.fromkeys(READING, "success"))
        platform.close()

    def where_rows_are(self, run: RunContext) -> tuple[str, list[str]]:
        """In the words of the table, and the columns bronze has of the source."""
        platform = LocalPlatform(self.settings)
        lake = open_catalog(self.settings.catalog)
        found, columns = [], []
        try:
            staged = [record.staged for record in platform.runs.staged(run.key, "extract_to_bronze")]
            for item in (item for item in staged if item.table.layer is Layer.BRONZE):
                rows = lake.load_table("bronze.shop__orders").scan(snapshot_id=item.staged).to_arrow()
                found += [f"bronze: {', '.join(str(key) for key in sorted(rows['id'].to_pylist()))}"] if rows else []
                columns = [name for name in rows.column_names if not name.startswith("_hw_")]
            publish_quarantine(platform, run, "extract_to_bronze")
            for item in (item for item in staged if item.table.layer is Layer.QUARANTINE):
                name = item.table.iceberg.removeprefix("lake.")
                rules = lake.load_table(name).scan().to_arrow()["_hw_rules"].to_pylist()
                found.append(f"quarantine: {', '.join(rules)}")
        finally:
            platform.close()
            lake.close()
        return "; ".join(found) or "at the source", columns

    def _make_database(self, encoding: str) -> None:
        name = f"shop_{uuid4().hex}"
        with psycopg.connect(self.server.url(), autocommit=True) as session:
            made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING {}")
            session.execute(made.format(sql.Identifier(name), sql.Literal(encoding)))
        self.source_url = self.server.url(name, None)
        landing = f'landing={{"conn_type": "headwater_landing", "extra": {{"path": "{self.landing}"}}}}'
        self.connections.write_text(f"shop_db={self.source_url.replace('postgresql://', 'postgres://')}\n{landing}\n")

    def _write(self, name: str, text: str) -> None:
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _yaml(case: WrongData, connection: str) -> str:
    return (
        "description: Orders of the shop.\nowner: {team: sales, email: [sales@example.com]}\nschedule: {every: 1d}\n"
        f"connection: {connection}\ntables:\n  orders:\n    key: [id]\n    extract: {case.extract}\n"
        f"    silver: {case.silver}\n"
    )


def _code(work: Work) -> str | None:
    try:
        work()
    except HeadwaterError as error:
        return error.code
    return None
