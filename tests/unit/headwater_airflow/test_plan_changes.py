"""The log of ``plan_run`` says what the files change of tables that are there, and what to do where one is held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.change import Effect, SpecChange
from headwater.domain.names import TableName
from headwater.domain.run import RunKey, RunKind, RunPlan, TablePlan, Window
from headwater.domain.spec import Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater.services.context import RunContext
from headwater_airflow.operators.plan_table import plan_lines

KEY = RunKey(installation="i", dag_id="shop", run_id="one")


@pytest.fixture
def run() -> RunContext:
    spec = SourceSpec(
        name="shop",
        file="dags/sources/shop.yaml",
        description="Orders.",
        owner=Owner(team="sales"),
        schedule=Schedule(manual=True),
        connection="shop_db",
        tables=(TableSpec(name="orders", key=("id",), extract=SqlExtract(), silver=Silver(mode="upsert")),),
    )
    return RunContext(spec=spec, run_key=KEY)


def _lines(run: RunContext, **change: Any) -> list[str]:
    table = TableName.parse("silver.shop.orders")
    found = SpecChange(table=table, path="key", was=("id",), now=("day",), effect=Effect.REBUILD, why="other", **change)
    window = Window(kind="snapshot")
    plan = RunPlan(
        run_key=KEY,
        kind=RunKind.SCHEDULED,
        planned_at=datetime(2026, 1, 1, tzinfo=UTC),
        spec_hash="h",
        tables=(TablePlan(table="orders", base_snapshot=None, batch=1, window=window, spec_hash="h"),),
        changes=(found,),
    )
    return plan_lines(run, plan)


def test_a_change_that_happens_is_one_line(run: RunContext) -> None:
    assert '  silver.shop.orders: key was ["id"], is ["day"]: rebuild: other' in _lines(run)


def test_a_change_that_is_held_says_what_to_write(run: RunContext) -> None:
    line = next(line for line in _lines(run, destroys="the rows") if "key was" in line)
    assert "lost: the rows; held: Either take the change back" in line
    assert 'acknowledge: [{change: key, was: ["id"]}]` to dags/sources/shop.yaml below tables.orders' in line
