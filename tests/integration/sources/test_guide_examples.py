"""The example of every guide does what the guide says."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integration.sources.mariadb_under_test import MariaDb
from tests.integration.sources.sources_under_test import PLANNED_AT, Source, live_schema, rejects_of, rows_of

from headwater.adapters.connections.parsing import parse_connection
from headwater.adapters.sources.kinds import SOURCE_KINDS
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunRequest
from headwater.domain.spec import TableSpec
from headwater.model.layout import Layout
from headwater.model.repository import load_repository
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted

GUIDES = Path(__file__).resolve().parents[3] / "docs" / "guides" / "sources"
EXAMPLE = re.compile(r"<!-- example: (.+?) -->\n```\w*\n(.*?)```", re.DOTALL)


def examples(guide: str) -> dict[str, str]:
    return dict(EXAMPLE.findall((GUIDES / guide).read_text()))


def table_of(text: str, folder: Path) -> TableSpec:
    """The one table of the guide's YAML, in a repository that has what every table needs beside it."""
    import yaml

    written = yaml.safe_load(text)
    [name] = written["tables"]
    path = folder / "dags" / "sources" / "shop.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for layer in (Layer.BRONZE, Layer.SILVER):
        table = TableName(layer=layer, source="shop", table=name)
        contract = Layout(folder).contract(table)
        contract.parent.mkdir(parents=True)
        checks = [{"row_count": {"threshold": {"must_be_greater_than_or_equal": 0}}}]
        columns = [{"name": column} for column in ("id",)]
        document = {"dataset": "/".join(("lake", *table.identifier)), "checks": checks, "columns": columns}
        contract.write_text(yaml.safe_dump(document))
    found = load_repository(folder)
    assert [str(error) for error in found.errors] == []
    return found.sources[0].table(name)


def run(table: TableSpec, connection: ConnectionInfo, folder: Path) -> Extracted:
    extractor = open_extractor(table, connection)
    stamp = BatchStamp(run_key="i/shop/r", planned_at=PLANNED_AT, batch=1, attempt="a")
    try:
        live = live_schema(extractor.inspect(table))
        window = extractor.plan(table, None, None, RunRequest(), datetime.now(UTC) + timedelta(seconds=5))
        return extractor.extract(table, window, stamp, live, str(folder))
    finally:
        extractor.close()


def holds(extracted: Extracted, given: dict[str, str]) -> None:
    """Bronze and quarantine are what the guide shows."""
    rows = rows_of(extracted, "COLUMNS(c -> NOT starts_with(c, '_hw_'))")
    shown = [[value if value is None or type(value) is int else str(value) for value in row] for row in rows]
    assert shown == json.loads(given["bronze"])
    rejects = [[reject["_hw_rules"], json.loads(reject["_hw_payload"])] for reject in rejects_of(extracted)]
    assert rejects == json.loads(given.get("quarantine", "[]"))


def connected(given: dict[str, str], **changes: Any) -> ConnectionInfo:
    return parse_connection("shop", given["connection"].replace("\n", " ")).model_copy(update=changes)


def files_of(given: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix("given "): text for name, text in given.items() if name.startswith("given ")}


@pytest.mark.parametrize("kind", SOURCE_KINDS, ids=lambda kind: kind.name)
def test_every_guide_has_a_connection_and_a_source_that_is_understood(kind: Any, tmp_path: Path) -> None:
    given = examples(kind.guide)
    assert connected(given).kind in kind.connections
    open_extractor(table_of(given["source"], tmp_path), connected(given)).close()


def test_postgres(source: Source, tmp_path: Path) -> None:
    given = examples("postgres.md")
    source.sql(given["given sql"])
    here = source.info.model_dump(include={"host", "port", "login", "schema_"})
    connection = connected(given, password=source.info.password, **here)
    holds(run(table_of(given["source"], tmp_path / "r"), connection, tmp_path / "out"), given)


def test_mysql(mariadb: MariaDb, tmp_path: Path) -> None:
    given, database = examples("mysql.md"), mariadb.make_database()
    mariadb.sql(
        "set sql_mode = ''", "set time_zone = '+00:00'", *given["given sql"].split(";\n")[:-1], database=database
    )
    here = mariadb.connection.model_dump(include={"host", "port", "login"})
    connection = connected(given, password=mariadb.connection.password, schema_=database, **here)
    holds(run(table_of(given["source"], tmp_path / "r"), connection, tmp_path / "out"), given)


def test_sqlite(tmp_path: Path) -> None:
    given = examples("sqlite.md")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as session:
        session.executescript(given["given sql"])
    connection = connected(given, host=str(tmp_path / "shop.db"))
    holds(run(table_of(given["source"], tmp_path / "r"), connection, tmp_path / "out"), given)


def test_files(tmp_path: Path) -> None:
    given = examples("files.md")
    for name, text in files_of(given).items():
        path = tmp_path / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    connection = connected(given, extra={"path": str(tmp_path / "landing")})
    holds(run(table_of(given["source"], tmp_path / "r"), connection, tmp_path / "out"), given)


@pytest.mark.parametrize(("guide", "server"), [("s3.md", "s3_server"), ("adls.md", "azurite")])
def test_buckets(guide: str, server: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    given, store = examples(guide), request.getfixturevalue(server)
    bucket = store.make_bucket()
    for name, text in files_of(given).items():
        store.put(f"{bucket}/orders/{name}", text.encode())
    known = store.connection(store.place(bucket, "orders"))
    connection = connected(given, login=known.login, password=SecretStr(known.password.get_secret_value()),
                           extra=connected(given).extra | known.extra)  # fmt: skip
    holds(run(table_of(given["source"], tmp_path / "r"), connection, tmp_path / "out"), given)


def test_delta(tmp_path: Path) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    given = examples("delta.md")
    for rows in given["given versions"].splitlines():
        written = pa.Table.from_pylist(json.loads(rows))
        write_deltalake(str(tmp_path / "lake" / "orders"), written, mode="append")
    connection = connected(given, extra={"path": str(tmp_path / "lake")})
    holds(run(table_of(given["source"], tmp_path / "r"), connection, tmp_path / "out"), given)


def test_external(tmp_path: Path) -> None:
    """What the job is told and does stands in external/; here its delivery is read as the guide says."""
    given = examples("external.md")
    landing, delivery = tmp_path / "landing" / "orders", given["given delivery"].encode()
    landing.mkdir(parents=True)
    (landing / "1.csv").write_bytes(delivery)
    listed = {"path": "1.csv", "size": len(delivery), "rows": 2}
    (landing / "k.manifest.json").write_text(json.dumps({"files": [listed]}))
    table, connection = table_of(given["source"], tmp_path / "r"), connected(given, extra={"path": str(landing.parent)})
    extractor: Any = open_extractor(table, connection)
    window = extractor.delivered(table, "k", None)
    stamp = BatchStamp(run_key="i/shop/r", planned_at=PLANNED_AT, batch=1, attempt="a")
    live = live_schema(extractor.inspect(table))
    holds(extractor.extract(table, window, stamp, live, str(tmp_path / "out")), given)
    assert parse_connection("jobs", given["job connection"].replace("\n", " ")).kind == "http"
