"""``headwater test-source`` runs this repository's own fixtures on the shared Spark, and shows a red one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headwater.adapters.profile import PROFILE_VARIABLE, write_profile
from headwater.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
RUNNER = CliRunner()


@pytest.fixture
def repository(tmp_path: Path, settings: Any, remote: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what this repository deploys, with the profile of the test session's Spark; no Airflow anywhere."""
    for folder in ("dags", "sql", "include/contracts", "tests/sources"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    write_profile(settings.model_copy(update={"repository": str(tmp_path)}), tmp_path / "profile.yaml")
    monkeypatch.setenv(PROFILE_VARIABLE, str(tmp_path / "profile.yaml"))
    return tmp_path


def test_fixtures_of_a_source_are_green_and_a_wrong_transform_is_red(repository: Path) -> None:
    green = RUNNER.invoke(app, ["test-source", "flights", "--json"])
    assert green.exit_code == 0, green.output
    tables = {item["table"]: (item["status"], item["tests"]) for item in json.loads(green.stdout)["tables"]}
    assert tables == {"silver.flights.flights": ("green", 1), "gold.flights.daily_departures": ("green", 1)}
    sql = repository / "sql/gold/flights/daily_departures.sql"
    sql.write_text(sql.read_text().replace("> 15", ">= 15"))
    red = RUNNER.invoke(app, ["test-source", "flights", "--table", "daily_departures"])
    assert red.exit_code == 1
    assert "tests/sources/flights/daily_departures.yml:1: a cancelled flight counts" in red.stdout
    assert "silver.flights.flights" not in red.stdout
    assert red.stdout.index("expected") < red.stdout.index("made")
