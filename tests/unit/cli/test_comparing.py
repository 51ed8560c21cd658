"""``validate --against`` a commit: what a pull request does to each table."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headwater.cli.main import app

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


def test_an_unknown_commit_is_refused(repository: Path) -> None:
    for ref in ("nowhere", "--upload-pack=x"):
        result = RUNNER.invoke(app, ["validate", f"--against={ref}"])
        assert result.exit_code == 1
        assert "There is no such commit" in result.stderr
