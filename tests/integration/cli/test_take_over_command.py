"""``headwater take-over``: it shows, asks, and gives away nothing without a yes (rule 23)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from headwater.cli import taking_over
from headwater.cli.main import app
from headwater.domain.names import TableName
from headwater.domain.run import RunKey

RUNNER = CliRunner()
TABLE = TableName.parse("bronze.shop.orders")
WORD = ["take-over", "shop", "--reason", "its node is gone"]


@pytest.fixture
def holder(lake: Any) -> str:
    """The key of a run that took the table, and whose process died so long ago that its lease has run out."""
    key = str(RunKey(installation=lake.runs.installation(), dag_id="shop", run_id="dead"))
    lake.runs.acquire([TABLE], key, "shop / dead / plan_run", 0)
    return key


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    class Sys:
        stdin = Terminal()

    monkeypatch.setattr(taking_over, "sys", Sys)


@pytest.mark.usefixtures("at_a_terminal")
def test_it_shows_what_would_be_given_away_and_asks(lake: Any, holder: str) -> None:
    no = RUNNER.invoke(app, WORD, input="n\n")
    assert no.exit_code == 1
    assert "bronze.shop.orders" in no.stdout
    assert [lease.run_key for lease in lake.runs.leases()] == [holder]
    yes = RUNNER.invoke(app, WORD, input="y\n")
    assert yes.exit_code == 0, yes.output
    assert "Free now: bronze.shop.orders." in yes.stdout
    assert lake.runs.leases() == ()


def test_nobody_is_asked_where_nobody_can_answer(lake: Any, holder: str) -> None:
    silent = RUNNER.invoke(app, WORD)
    assert (silent.exit_code, "--yes" in silent.stderr) == (1, True)
    assert [lease.run_key for lease in lake.runs.leases()] == [holder]
    said = RUNNER.invoke(app, [*WORD, "--yes", "--json"])
    assert said.exit_code == 0, said.output
    assert [(item["table"], item["run_key"]) for item in json.loads(said.stdout)] == [(TABLE.dotted, holder)]
    again = RUNNER.invoke(app, [*WORD, "--yes"])
    assert (again.exit_code, "no word is needed" in again.stdout) == (0, True)


def test_a_pipeline_nobody_knows_is_named(lake: Any) -> None:
    unknown = RUNNER.invoke(app, ["take-over", "shopp", "--reason", "gone"])
    assert unknown.exit_code == 1
    assert "There is no such source or product." in unknown.stderr
