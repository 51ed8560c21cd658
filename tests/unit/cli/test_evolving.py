"""``headwater evolve`` writes one line into the YAML, and says which."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater.cli.main import app

ROOT = Path(__file__).parents[3]
RUNNER = CliRunner()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The YAML of flights in a repository of its own."""
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(tmp_path))
    return tmp_path / "dags" / "sources" / "flights.yaml"


def test_the_tables_entry_says_evolve_from_now_on(file: Path) -> None:
    before, mode = file.read_text(), file.stat().st_mode
    told = RUNNER.invoke(app, ["evolve", "flights", "planes"])
    assert told.exit_code == 0, told.output
    assert "+    drift: evolve\n" in told.output
    assert file.read_text() == before.replace("  planes:\n", "  planes:\n    drift: evolve\n")
    assert file.stat().st_mode == mode
    assert sorted(path.name for path in file.parent.iterdir()) == ["flights.yaml", "weather.yaml"]
    assert "already" in RUNNER.invoke(app, ["evolve", "flights", "planes"]).output


@pytest.mark.parametrize("words", [["ships", "planes"], ["flights", "ships"]])
def test_what_is_not_there_is_named_with_what_is(file: Path, words: list[str]) -> None:
    before = file.read_text()
    refused = RUNNER.invoke(app, ["evolve", *words])
    assert refused.exit_code == 1
    assert "flights" in refused.stderr
    assert file.read_text() == before
