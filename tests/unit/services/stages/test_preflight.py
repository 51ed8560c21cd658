"""preflight blocks a run before anything is read, and costs nothing when nothing changed (rule 8)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import ConnectionMissingError, PreflightError
from headwater.domain.job import JobResult, JobSpec, PreflightTable, TableResult
from headwater.services.stages import preflight


class FixtureRunner:
    """Answers a preflight job; tables of ``red`` differ from their fixture, those of ``silent`` get no answer."""

    def __init__(self) -> None:
        self.red: set[str] = set()
        self.silent: set[str] = set()
        self.jobs: list[JobSpec] = []

    def run(self, job: JobSpec) -> JobResult:
        self.jobs.append(job)
        results = [
            TableResult(table=item.table, status="red", differences=("- 1", "+ 2"))
            if item.table.dotted in self.red
            else TableResult(table=item.table, status="green")
            for item in job.preflight
            if item.table.dotted not in self.silent
        ]
        return JobResult(kind="preflight", run_key=job.run_key, attempt=job.attempt, tables=tuple(results), seconds=0)


@pytest.fixture
def tested(world: Any) -> Any:
    """A world whose silver tables have fixtures."""
    names = [name for name in world.context("one").all_tables() if name.layer.value == "silver"]
    world.model.changed = set()
    world.model.preflight_hashes = lambda spec: {
        name: f"{name} {world.model.code if not world.model.changed or name.table in world.model.changed else 'v1'}"
        for name in names
    }
    world.model.preflight_tables = lambda spec, tables: tuple(
        PreflightTable(table=name, fixtures=()) for name in names if name in tables
    )
    world.engine = FixtureRunner()
    return world


def _run(world: Any) -> Any:
    return preflight.run(world, world.context("one"))


def test_fixtures_run_again_only_when_something_changed(tested: Any) -> None:
    """Rule 8: with nothing changed no Spark job starts."""
    assert {o.status for o in _run(tested).outcomes} == {"green"}
    assert "unchanged" in _run(tested).message
    assert len(tested.engine.jobs) == 1
    tested.model.code = "v2"
    _run(tested)
    assert len(tested.engine.jobs) == 2


def test_only_the_tables_whose_inputs_changed_are_tested_again(tested: Any) -> None:
    _run(tested)
    tested.model.code, tested.model.changed = "v2", {"stock"}
    report = _run(tested)
    assert [item.table.dotted for item in tested.engine.jobs[-1].preflight] == ["silver.shop.stock"]
    statuses = {outcome.table: outcome.status for outcome in report.outcomes}
    assert statuses == {
        "silver.shop.stock": "green", "silver.shop.orders": "unchanged", "silver.shop.customers": "unchanged",
    }  # fmt: skip


def test_green_tables_are_remembered_beside_a_red_one(tested: Any) -> None:
    tested.engine.red = {"silver.shop.orders"}
    with pytest.raises(PreflightError):
        _run(tested)
    tested.engine.red = set()
    _run(tested)
    assert [item.table.dotted for item in tested.engine.jobs[-1].preflight] == ["silver.shop.orders"]


def test_red_fixtures_block_the_run_and_show_the_rows(tested: Any) -> None:
    tested.engine.red = {"silver.shop.orders"}
    for _ in range(2):
        with pytest.raises(PreflightError, match=r"red: silver\.shop\.orders") as red:
            _run(tested)
        assert red.value.got == "- 1\n+ 2"
        assert red.value.facts["differences"] == "- 1; + 2", "on one line of an alert"
    assert len(tested.engine.jobs) == 2, "red is never remembered as green"
    assert tested.source.read == []


def test_a_table_without_an_answer_is_no_green(tested: Any) -> None:
    tested.engine.silent = {"silver.shop.stock"}
    with pytest.raises(PreflightError, match="a table without an answer"):
        _run(tested)


def test_a_missing_connection_is_named_before_anything_else(tested: Any) -> None:
    def missing(connection_id: str) -> None:
        raise ConnectionMissingError(f"no connection {connection_id}")

    tested.resolve = missing
    with pytest.raises(ConnectionMissingError) as refused:
        _run(tested)
    assert refused.value.facts["connection"] == "shop_db"
    assert tested.engine.jobs == []


def test_without_transforms_there_is_nothing_to_run(tested: Any) -> None:
    tested.model.preflight_hashes = lambda spec: {}
    assert _run(tested).message == "no transform to test"
    assert tested.engine.jobs == []
