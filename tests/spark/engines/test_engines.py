"""What every Spark engine does, asked of each: answers per table, branches only, and a dead job is like none."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import EngineError
from headwater.domain.job import BuildTable, JobSpec
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec
from headwater.ports import failpoints

GOOD = "SELECT explode(sequence(1, 3)) AS k"


def gold_job(lake: Any, **tables: str) -> JobSpec:
    """One gold table per name, made by its SQL."""
    items = [
        BuildTable(
            spec=GoldSpec(name=name, grain=("k",), sql=sql),
            gold=lake.name(Layer.GOLD, name),
            base=lake.heads.get(lake.name(Layer.GOLD, name)),
            inputs={},
            state=lake.state(1),
        )
        for name, sql in tables.items()
    ]
    made: JobSpec = lake.job("build_gold", 1, build=tuple(items))
    return made


def branches(lake: Any, table: TableName) -> set[str]:
    if not lake.spark.catalog.tableExists(table.iceberg):
        return set()
    return {row.name for row in lake.spark.sql(f"SELECT name FROM {table.iceberg}.refs").collect()} - {"main"}


def test_a_killed_job_is_an_error_and_its_rerun_answers_for_each_table(
    lake: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules 2, 10, 11: what a dead attempt committed sits on its own branch and means nothing."""
    tables = {"good": GOOD, "wrong": "SELECT no_such_column AS k"}
    dead, job = gold_job(lake, **tables), gold_job(lake, **tables)
    monkeypatch.setenv(failpoints.VARIABLE, "gold.after_write:kill")
    with pytest.raises(EngineError) as raised:
        engine.run(dead)
    assert raised.value.retry_helps
    monkeypatch.delenv(failpoints.VARIABLE)
    gold = lake.name(Layer.GOLD, "good")
    assert branches(lake, gold) == {f"hw_{dead.attempt}"}

    answer = engine.run(job)

    assert (answer.attempt, answer.run_key, answer.kind) == (job.attempt, job.run_key, job.kind)
    good, wrong = answer.tables
    assert (good.status, wrong.status) == ("staged", "failed"), good.error
    assert (wrong.error_code, wrong.facts["column"]) == ("transform_failed", "no_such_column")
    assert good.staged.branch == f"hw_{job.attempt}"
    assert lake.rows(gold) == []  # main shows nothing before publish
    lake.publish(good.staged)
    assert [row.k for row in lake.rows(gold, order="k")] == [1, 2, 3]
