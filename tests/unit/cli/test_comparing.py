"""``validate --against`` a commit or what readers see: what an edit does to each table."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headwater.adapters.profile import PROFILE_VARIABLE, write_profile
from headwater.adapters.run_store import SqlRunStore, migrate
from headwater.cli.main import app
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunKey, RunKind, RunPlan
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spec import spec_document
from headwater.domain.staging import TableState
from headwater.model.repository import load_pipeline

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
RUNNER = CliRunner()
FLIGHTS = "dags/sources/flights.yaml"
KEY, NEW_KEY = "    key: [carrier]\n", "    key: [name]\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what this repository deploys, as one commit; below the root of its Git repository."""
    root = tmp_path / "pipelines"
    for folder in ("dags", "sql", "include/contracts", "tests/sources"):
        shutil.copytree(ROOT / folder, root / folder)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(root))
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / ".headwater"))
    return root


def _edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def _answer(*more: str) -> tuple[int, Any]:
    result = RUNNER.invoke(app, ["validate", "--against", "main", "--json", *more])
    return result.exit_code, json.loads(result.stdout)


def test_nothing_changed_since_the_commit(repository: Path) -> None:
    code, answer = _answer()
    assert code == 0
    assert [item["changes"] for item in answer["comparisons"]] == [[], [], []]


def test_a_destructive_change_fails_the_check_and_says_what_to_write(repository: Path) -> None:
    _edit(repository, FLIGHTS, KEY, NEW_KEY)
    result = RUNNER.invoke(app, ["validate", "--against", "main"])
    assert result.exit_code == 1
    assert 'refused silver.flights.airlines: key was ["carrier"], is ["name"]: rebuild' in result.stdout
    assert 'acknowledge: [{change: key, was: ["carrier"]}]' in result.stdout


def test_gold_that_keeps_its_columns_is_made_anew_without_a_word(repository: Path) -> None:
    _edit(repository, "sql/gold/flights/daily_departures.sql", "> 15", "> 20")
    code, answer = _answer()
    changes = [change for item in answer["comparisons"] for change in item["changes"]]
    assert code == 0
    assert [(change["table"]["table"], change["effect"]) for change in changes] == [("daily_departures", "rebuild")]


def test_an_acknowledgement_of_what_did_not_change_is_named(repository: Path) -> None:
    _edit(repository, FLIGHTS, KEY, f"{KEY}    acknowledge: [{{change: key, was: [code]}}]\n")
    result = RUNNER.invoke(app, ["validate", "--against", "main"])
    assert result.exit_code == 0
    assert "tables.airlines.acknowledge" in result.stdout
    assert "remove it" in result.stdout


def test_files_with_errors_are_said_not_to_be_compared(repository: Path) -> None:
    """Nobody may take a change that could not be judged for none."""
    _edit(repository, FLIGHTS, KEY, "    keys: [name]\n")
    result = RUNNER.invoke(app, ["validate", "--against", "main"])
    assert result.exit_code == 1
    assert "Nothing that concerns a table changed since main in what was compared." in result.stdout
    assert "not compared: flights, as its files have errors" in result.stdout
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *who, "commit", "-q", "-am", "second"], cwd=repository, check=True)
    _edit(repository, FLIGHTS, "    keys: [name]\n", NEW_KEY)
    _, answer = _answer()
    uncompared = {item["pipeline"]: item["uncompared"] for item in answer["comparisons"]}
    assert uncompared["flights"] == "its files of main had errors"
    assert uncompared["weather"] == ""


def test_an_unknown_commit_is_refused(repository: Path) -> None:
    for ref in ("nowhere", "--upload-pack=x"):
        result = RUNNER.invoke(app, ["validate", f"--against={ref}"])
        assert result.exit_code == 1
        assert "There is no such commit" in result.stderr


@pytest.fixture
def published(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The airlines as their readers see them, made by a run with the files of the first commit."""
    url = f"sqlite:///{tmp_path}/runs.db"
    migrate(url)
    key = RunKey(installation="i", dag_id="flights", run_id="one")
    spec = load_pipeline(repository, repository / FLIGHTS)
    state = TableState(run_key=str(key), spec_hash="h", batch=1)
    airlines = ReleasedTable(
        table=TableName.parse("silver.flights.airlines"), snapshot_id=1, metadata_location="m", state=state
    )
    store = SqlRunStore(url)
    plan = RunPlan(run_key=key, kind=RunKind.SCHEDULED, planned_at=NOW, spec_hash="h")
    store.save_plan(plan, json.dumps(spec_document(spec)))
    release = {"id": "r-20260101T000000-00000000", "run_key": str(key), "pipeline": "flights", "kind": "audited"}
    times = {"status": "published", "created_at": NOW, "published_at": NOW}
    store.save_release(Release.model_validate(release | times | {"tables": [airlines]}))
    store.close()
    settings = Settings(
        home=str(tmp_path / "home"),
        repository=str(repository),
        run_store=url,
        catalog=CatalogSettings(uri="unused", jdbc_uri="unused", warehouse="unused"),
        spark=SparkSettings(jars="unused"),
    )
    write_profile(settings, tmp_path / "profile.yaml")
    monkeypatch.setenv(PROFILE_VARIABLE, str(tmp_path / "profile.yaml"))


@pytest.mark.usefixtures("published")
def test_the_files_are_compared_with_the_specs_that_made_what_readers_see(repository: Path) -> None:
    unchanged = RUNNER.invoke(app, ["validate", "--against", "stored"])
    assert unchanged.exit_code == 0, unchanged.output
    assert "Nothing that concerns a table changed since stored." in unchanged.stdout
    _edit(repository, FLIGHTS, KEY, NEW_KEY)
    _edit(repository, FLIGHTS, "    key: [faa]\n", "    key: [name]\n")
    changed = RUNNER.invoke(app, ["validate", "--against", "stored", "--json"])
    assert changed.exit_code == 1
    comparisons = {item["pipeline"]: item for item in json.loads(changed.stdout)["comparisons"]}
    (change,) = comparisons["flights"]["changes"]
    assert change["table"]["table"] == "airlines", "nobody published the airports yet"
    assert change["reshapes"], "a history by another key"


def test_what_reads_a_changed_table_is_named_with_its_owner(repository: Path) -> None:
    _edit(repository, FLIGHTS, "upper(trim(tailnum))", "trim(tailnum)")
    result = RUNNER.invoke(app, ["validate", "--against", "main"])
    assert result.exit_code == 0, result.output
    assert "silver.flights.flights is read by gold.flights.daily_departures (aviation-data)" in result.stdout
    assert "gold.flight_delays_by_weather.hourly_delays (analytics)" in result.stdout


def test_impact_names_what_is_made_of_a_column(repository: Path) -> None:
    asked = ["impact", "silver.flights.flights", "--column", "dep_delay"]
    reached = json.loads(RUNNER.invoke(app, [*asked, "--json"]).stdout)
    assert {item["table"]: item["columns"] for item in reached} == {
        "gold.flights.daily_departures": ["delayed", "mean_delay_minutes"],
        "gold.flight_delays_by_weather.hourly_delays": ["mean_delay_minutes"],
    }
    assert "mean_delay_minutes" in RUNNER.invoke(app, asked).stdout
    misspelt = RUNNER.invoke(app, ["impact", "silver.flights.flights", "--column", "dep_dealy"]).stdout
    assert "Nothing reads silver.flights.flights.dep_dealy." in misspelt
    assert "dep_delay, " in misspelt
    unknown = RUNNER.invoke(app, ["impact", "silver.flights.flight"])
    assert unknown.exit_code == 1
    assert "silver.flights.flights" in unknown.stderr
