from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from headwater.adapters.embedded.stack import EmbeddedStack
from headwater.adapters.iceberg.opening import open_catalog
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.cli.main import app
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable

RUNNER = CliRunner()
ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
COMMIT = "c0ffee" + 34 * "0"


@pytest.fixture
def released(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    """An embedded home with one release of one gold table; nothing runs while the test asks."""
    home = tmp_path_factory.mktemp("home")
    # pytest closes its folders; the system user that runs Postgres for root has to pass
    for folder in (home, *home.parents[:2]):
        folder.chmod(0o755)
    monkeypatch.setenv("HEADWATER_HOME", str(home))
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(ROOT))
    monkeypatch.delenv("HEADWATER_PROFILE", raising=False)
    with EmbeddedStack(home, ROOT) as stack:
        settings = stack.settings()
        migrate(settings.run_store.get_secret_value())
        catalog = open_catalog(settings.catalog)
        catalog.create_namespace("gold")
        rows = pa.table({"origin": ["EWR", "JFK"], "flights": pa.array([3, 4], pa.int64())})
        table = catalog.create_table("gold.flights__daily_departures", schema=rows.schema)
        table.append(rows)
        snapshot = table.current_snapshot()
        assert snapshot is not None
        item = ReleasedTable(
            table=TableName.parse("gold.flights.daily_departures"),
            snapshot_id=snapshot.snapshot_id,
            metadata_location=table.metadata_location,
            rows=2,
        )
        release = Release.model_validate(
            {"id": "r-20260101T000000-00000000", "run_key": "a/flights/b", "pipeline": "flights", "kind": "audited"}
            | {"status": "published", "created_at": NOW, "published_at": NOW, "tables": [item]}
            | {"bundle_version": COMMIT}
        )
        store = SqlRunStore(settings.run_store.get_secret_value())
        store.save_release(release)
        store.close()
        catalog.close()
    assert not stack.postgres.is_serving()
    yield release
    assert not stack.postgres.is_serving()


def test_commands_start_postgres_for_themselves_and_leave_nothing(released: Release) -> None:
    sql = "select origin, flights from gold.flights.daily_departures order by flights desc"
    result = RUNNER.invoke(app, ["query", sql, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == [{"origin": "JFK", "flights": 4}, {"origin": "EWR", "flights": 3}]
    older = RUNNER.invoke(app, ["query", "select 1 as one", "--release", "r-none"])
    assert older.exit_code == 1
    assert "headwater releases" in older.stderr
    [table] = json.loads(RUNNER.invoke(app, ["tables", "--json"]).stdout)
    assert (table["table"], table["rows"], table["release"]) == ("gold.flights.daily_departures", 2, released.id)
    read = {"silver.flights.flights", "silver.flights.airlines"}
    assert set(table["publish_group"]) == {*read, "gold.flights.daily_departures"}
    assert "silver.flights.flights, silver.flights.airlines, gold" in RUNNER.invoke(app, ["tables"]).stdout
    [listed] = json.loads(RUNNER.invoke(app, ["releases", "--json"]).stdout)
    assert (listed["id"], listed["bundle_version"]) == (released.id, COMMIT)
    assert " c0ffee0000 " in RUNNER.invoke(app, ["releases"]).stdout
    for command in ("runs", "releases"):
        unknown = RUNNER.invoke(app, [command, "fligths"])
        assert unknown.exit_code == 1
        assert "flights" in unknown.stderr
    for command in ("runs", "incidents"):
        result = RUNNER.invoke(app, [command, "--json"])
        assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_connections_are_kept_without_their_secret_being_shown(released: Release) -> None:
    environ = {"HEADWATER_URI": "postgres://ana:s3cret@db.example.com:5432/shop"}
    result = RUNNER.invoke(app, ["connections", "set", "shop_db"], env=environ)
    assert result.exit_code == 0, result.output
    listed = RUNNER.invoke(app, ["connections", "list", "--json"])
    assert json.loads(listed.stdout) == [
        {"id": "shop_db", "kind": "postgres", "host": "db.example.com", "login": "ana", "database": "shop"}
    ]
    renewed = RUNNER.invoke(app, ["connections", "password", "shop_db"], input="n3w/one\n")
    assert renewed.exit_code == 0, renewed.output
    kept = (Path(os.environ["HEADWATER_HOME"]) / "connections.env").read_text()
    assert "shop_db=postgres://ana:n3w%2Fone@db.example.com:5432/shop\n" in kept
    assert not {"s3cret", "n3w"} & set(re.findall(r"\w+", result.output + listed.output + renewed.output))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["connections", "password", "no_such"], "Admin > Connections"),
        (["connections", "check", "no_such"], "No source names"),
        (["connections", "set", "shop_db"], "standard input"),
    ],
)
def test_connections_that_are_not_there_are_named_with_what_to_do(
    released: Release, words: list[str], said: str
) -> None:
    result = RUNNER.invoke(app, words)
    assert result.exit_code == 1
    assert said in result.stderr


def test_watchdog_tells_on_stderr_what_it_found_and_prints_one_document(released: Release) -> None:
    """From outside Airflow, for the day Airflow is down: that is what it finds here."""
    first = RUNNER.invoke(app, ["watchdog", "--json"])
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["found"] == 1
    assert "[airflow_down]" in first.stderr or "Airflow at" in first.stderr
    found = json.loads(RUNNER.invoke(app, ["incidents", "--json"]).stdout)
    [down] = [incident for incident in found if incident["cause"] == "airflow_down"]
    assert "run" not in {link["label"] for link in down["links"]}
    assert json.loads(RUNNER.invoke(app, ["watchdog", "--json"]).stdout)["found"] == 0
    assert RUNNER.invoke(app, ["migrate"]).exit_code == 0


def test_maintain_tells_what_it_would_do_and_does_it(released: Release) -> None:
    table = released.tables[0].table.dotted
    steps = ["--step", "branches", "--step", "tables"]
    with EmbeddedStack(Path(os.environ["HEADWATER_HOME"]), ROOT) as stack:
        catalog = open_catalog(stack.settings().catalog)
        loaded = catalog.load_table("gold.flights__daily_departures")
        loaded.manage_snapshots().create_branch(released.tables[0].snapshot_id, "hw_dead").commit()
        for expected in ("would", "done", "nothing"):
            options = ["--dry-run"] if expected == "would" else []
            result = RUNNER.invoke(app, ["maintain", table, *steps, *options, "--json"])
            assert result.exit_code == 0, result.output
            found = {item["step"]: item for item in json.loads(result.stdout)}
            assert (found["branches"]["status"], found["tables"]["status"]) == (expected, "nothing")
            is_there = "hw_dead" in catalog.load_table("gold.flights__daily_departures").refs()
            assert is_there is (expected == "would")
        catalog.close()
    assert "Nothing needs maintenance." in RUNNER.invoke(app, ["maintain", *steps]).stdout
    for wrong in (["gold.flights.other"], [table, "--step", "sweep"]):
        refused = RUNNER.invoke(app, ["maintain", *wrong])
        assert refused.exit_code == 1
        assert "allowed:" in refused.stderr
