"""The gate: each way by which Soda lets bad data through is closed (rule 15)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.names import Layer

COLUMNS = "k bigint, v double"
ROWS = ["1, 1.0", "2, -5.0", "3, NULL"]


def contract(body: str) -> str:
    return f"dataset: lake/silver/x__t\n{body}"


@pytest.fixture
def judged(lake: Any) -> Any:
    spec = lake.spec("upsert")
    lake.refine(spec, lake.bronze(1, COLUMNS, ROWS))
    return lake


CLOSED = {
    "two comparisons in one threshold": "checks: [{row_count: {threshold: {must_be_greater_than: 0, must_be: 3}}}]",
    "no checks": "columns: [{name: k}]",
    "misspelt checks": "chekcs: [{row_count: {}}]",
    "unknown check type": "checks: [{row_cuont: {}}]",
    "unknown column": "columns: [{name: nope, checks: [{missing: {}}]}]",
    "same check twice": "checks: [{row_count: {}}, {row_count: {}}]",
    "undeclared variable": "filter: k = ${var.nobody}\nchecks: [{row_count: {}}]",
    "no yaml": "checks: [",
}


@pytest.mark.parametrize("body", CLOSED.values(), ids=CLOSED.keys())
def test_what_cannot_be_evaluated_keeps_the_gate_closed(judged: Any, body: str) -> None:
    result = judged.validate(judged.name(Layer.SILVER), contract(body))
    assert not result.verdict.passed
    assert result.error_code == "gate_unsure", result
    assert result.verdict.reason


def test_a_missing_table_keeps_the_gate_closed(judged: Any) -> None:
    absent = judged.name(Layer.SILVER, "absent")
    judged.heads[absent] = 1
    assert not judged.validate(absent, contract("checks: [{row_count: {}}]")).verdict.passed


def test_a_failed_check_says_what_was_measured_and_shows_rows(judged: Any) -> None:
    body = "checks: [{row_count: {}}]\ncolumns: [{name: v, checks: [{invalid: {name: positive, valid_min: 0}}]}]"
    result = judged.validate(judged.name(Layer.SILVER), contract(body), key=("k",))
    check = next(check for check in result.verdict.checks if check.name == "positive")
    assert (check.outcome, check.measured, check.rows_failed, check.rows_tested) == ("failed", 1.0, 1, 2)
    assert check.examples == ("k=2, v=-5.0",)
    assert (result.error_code, result.facts["column"], result.facts["count"]) == ("contract_broken", "v", "1")


def test_masked_values_are_never_shown(judged: Any) -> None:
    body = "columns: [{name: v, checks: [{invalid: {name: positive, valid_min: 0}}]}]"
    result = judged.validate(judged.name(Layer.SILVER), contract(body), key=("k",), masked=("v", "k"))
    assert not any("5.0" in text for check in result.verdict.checks for text in check.examples)


def test_good_data_passes_and_the_snapshot_is_the_staged_one(judged: Any) -> None:
    silver = judged.name(Layer.SILVER)
    body = "checks: [{row_count: {threshold: {must_be: 3}}}]\ncolumns: [{name: k, checks: [{missing: {}}]}]"
    audited = judged.heads[silver]
    judged.refine(judged.spec("upsert"), judged.bronze(2, COLUMNS, ["9, 9.0"]))
    judged.heads[silver] = audited  # main has four rows by now
    result = judged.validate(silver, contract(body), key=("k",))
    assert result.verdict.passed, result.verdict.reason
    assert result.verdict.checks_declared == len(result.verdict.checks) == 3


def test_doubled_keys_close_the_gate_without_a_contract_saying_so(judged: Any) -> None:
    silver = judged.name(Layer.SILVER)
    judged.spark.sql(f"INSERT INTO {silver.iceberg} SELECT * FROM {silver.iceberg} WHERE k = 1").collect()
    judged.heads[silver] = judged.head(silver)
    result = judged.validate(silver, contract("checks: [{row_count: {}}]"), key=("k",))
    assert (result.verdict.passed, result.facts["check"], result.facts["value"]) == (
        False,
        "key is unique",
        "k=1: 2 rows",
    )


def test_bronze_is_judged_by_its_own_batch(lake: Any) -> None:
    bronze = lake.name(Layer.BRONZE)
    lake.bronze(1, COLUMNS, ROWS)
    lake.bronze(2, COLUMNS, ["4, 4.0"])
    body = "checks: [{row_count: {threshold: {must_be: 1}}}]"
    assert lake.validate(bronze, contract(body), batch_only=2).verdict.passed
