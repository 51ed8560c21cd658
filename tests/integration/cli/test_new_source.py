"""``new-source`` over a real database: what it writes passes at once, and is written once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import yaml
from typer.testing import CliRunner

from headwater.adapters.profile import write_profile
from headwater.adapters.run_store import migrate
from headwater.cli.main import app
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

RUNNER = CliRunner()
TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(10, 2), updated_at timestamptz NOT NULL);
COMMENT ON TABLE orders IS 'One row per order: "open"
until paid.';
CREATE TABLE order_lines (order_id bigint, line int, PRIMARY KEY (order_id, line));
CREATE TABLE "Order Details" ("Detail Id" int PRIMARY KEY, "select" text, "a.b" int, "quo""te" text);
CREATE TABLE coded (code text NOT NULL UNIQUE, maybe text UNIQUE);
CREATE TABLE keyless (a int, b text);
CREATE TABLE log (message text, created_at timestamp);
CREATE TABLE exotic (id uuid PRIMARY KEY, tags text[], place point, span interval, doc jsonb, money money, bits bit(4));
CREATE TABLE twins ("Id" int PRIMARY KEY, id int);
CREATE TABLE reserved (id int PRIMARY KEY, _deleted boolean);
CREATE TABLE nothing ();
CREATE TABLE secret (id int PRIMARY KEY);
CREATE SCHEMA empty;
CREATE ROLE {reader} LOGIN PASSWORD 'reads';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};
REVOKE ALL ON secret FROM {reader};
"""


@pytest.fixture
def repository(tmp_path: Path, postgres_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, and a connection ``shop_db`` whose login may not read everything."""
    source, runs = postgres_database(driver=None), postgres_database()
    reader = source.rpartition("/")[2].replace("t_", "r_")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(TABLES.format(reader=reader).encode())
    address = source.rpartition("@")[2]
    connections = tmp_path / "connections.env"
    (tmp_path / "landing" / "visits").mkdir(parents=True)
    (tmp_path / "landing" / "visits" / "2026-01-01.csv").write_text("visit_id;at\n1;2026-01-01 10:00:00\n")
    landing = json.dumps({"conn_type": "headwater_landing", "extra": {"path": str(tmp_path / "landing")}})
    lines = [f"shop_db=postgres://{reader}:reads@{address}", f"landing={landing}", "jobs=http://jobs.example.com"]
    connections.write_text("\n".join([*lines, ""]))
    root = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "config", "user.email", "ana@example.com"], check=True)
    settings = Settings(
        home=str(tmp_path),
        repository=str(root),
        installation="test",
        run_store=runs,
        catalog=CatalogSettings(uri=runs, jdbc_uri="", warehouse=str(tmp_path / "warehouse")),
        spark=SparkSettings(jars=""),
        connections_file=str(connections),
    )
    migrate(runs)
    write_profile(settings, tmp_path / "profile.yaml")
    monkeypatch.setenv("HEADWATER_PROFILE", str(tmp_path / "profile.yaml"))
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(root))
    return root


def test_new_source_passes_validation_at_once_and_overwrites_nothing(repository: Path) -> None:
    made = RUNNER.invoke(app, ["new-source", "shop", "--connection", "shop_db"])
    assert made.exit_code == 0, made.output
    for left_out in ("secret is left out: the login may not read it", "twins is left out", "reserved is left out",
                     "nothing is left out: it has no columns"):  # fmt: skip
        assert left_out in made.stdout
    assert "keyless: no key was found" in made.stdout
    checked = RUNNER.invoke(app, ["validate"])
    assert checked.exit_code == 0, checked.output
    document = yaml.safe_load((repository / "dags/sources/shop.yaml").read_text())
    assert document["owner"] == {"team": "data-platform", "email": ["ana@example.com"]}
    keys = {name: table.get("key") for name, table in document["tables"].items()}
    assert keys == {
        "orders": ["id"],
        "order_lines": ["order_id", "line"],
        "order_details": ["Detail Id"],
        "coded": ["code"],
        "keyless": ["a", "b"],
        "log": None,
        "exotic": ["id"],
    }
    assert document["tables"]["orders"]["extract"] == {"mode": "incremental", "cursor": "updated_at", "lag": "1h"}
    assert document["tables"]["orders"]["description"] == 'One row per order: "open" until paid.'
    before = {path: path.read_bytes() for path in repository.rglob("*.y*ml")}
    assert len(before) == 1 + 3 * len(keys)
    again = RUNNER.invoke(app, ["new-source", "shop", "--connection", "shop_db"])
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert {path: path.read_bytes() for path in repository.rglob("*.y*ml")} == before


def test_new_source_of_a_landing_folder_passes_validation_at_once(repository: Path) -> None:
    made = RUNNER.invoke(app, ["new-source", "web", "--connection", "landing"])
    assert made.exit_code == 0, made.output
    assert "visits: columns and types are guessed from visits/2026-01-01.csv" in made.stdout
    checked = RUNNER.invoke(app, ["validate"])
    assert checked.exit_code == 0, checked.output
    document = yaml.safe_load((repository / "dags/sources/web.yaml").read_text())
    assert document["extract"] == {"kind": "files"}
    assert document["tables"]["visits"]["extract"] == {
        "path": "visits", "columns": {"visit_id": "long", "at": "timestamp"}, "delimiter": ";",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--connection", "shop_db", "--schema", "empty"], "schema empty has no relation"),
        (["--connection", "shop_db", "--table", "ordesr"], "public.ordesr"),
        (["--connection", "shop_db", "--table", "twins"], "equal but for case"),
        (["--connection", "landing", "--table", "visit"], "files.visits"),
        (["--connection", "jobs"], "Only a database or a landing folder tells its tables"),
        (["--connection", "nobody"], "there is no connection"),
    ],
)
def test_what_new_source_cannot_do_is_explained_and_writes_nothing(
    repository: Path, arguments: list[str], said: str
) -> None:
    result = RUNNER.invoke(app, ["new-source", "shop", *arguments])
    assert result.exit_code == 1, result.output
    assert said in result.stderr
    assert not list(repository.rglob("*.y*ml"))
