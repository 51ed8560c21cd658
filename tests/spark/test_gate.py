"""The gate: each way by which Soda lets bad data through is closed (rule 15). One job judges every case."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.names import Layer, TableName

# Soda 4.28 on its own statements for Spark; only tests make errors of warnings
pytestmark = pytest.mark.filterwarnings("ignore:Not fully supported for all datasources yet:DeprecationWarning")

SILVER = "k bigint, v double, _hw_deleted boolean"
HISTORY = "k bigint, v string, valid_from timestamp, valid_to timestamp, batch_out timestamp, _hw_deleted boolean"
POSITIVE = "columns: [{name: v, checks: [{invalid: {name: positive, valid_min: 0}}]}]"
COLUMNS = "columns: [{name: k}]\n"
ROWS = f"{COLUMNS}checks: [{{row_count: {{}}}}]"
CLOSED = {
    "two comparisons": (
        f"{COLUMNS}checks: [{{row_count: {{threshold: {{must_be_greater_than: 0, must_be_less_than: 2}}}}}}]",
        "1 checks were not evaluated: checks.row_count",
    ),
    "no checks": (COLUMNS, "declares no checks"),
    "misspelt checks": (f"{COLUMNS}chekcs: [{{row_count: {{}}}}]", "declares no checks"),
    "misspelt threshold": (
        f"{COLUMNS}checks: [{{row_count: {{treshold: {{must_be: 99}}}}}}]",
        "unknown key 'treshold'",
    ),
    "unknown check": (f"{COLUMNS}checks: [{{row_count: {{}}}}, {{row_cuont: {{}}}}]", "Invalid check type"),
    "same check twice": (
        f"{COLUMNS}checks: [{{row_count: {{}}}}, {{row_count: {{threshold: {{must_be: 99}}}}}}]",
        "Duplicate identity",
    ),
    "undeclared variable": (f"filter: k = ${{var.nobody}}\n{ROWS}", "'nobody' was used and not declared"),
    "no yaml": ("checks: [", "not valid YAML"),
    "unknown column": ("columns: [{name: nope, checks: [{missing: {}}]}]", "`nope` cannot be resolved"),
    "unknown column of an expression": (
        f"{COLUMNS}checks: [{{failed_rows: {{expression: nope < 0}}}}]",
        "`nope` cannot be resolved",
    ),
}
"""Case -> contract, and what the verdict has to say."""
PERCENT = "columns: [{name: v, checks: [{missing: {threshold: {metric: percent, must_be_less_than: 5}}}]}]"
EMPTY = {
    "metric of no rows": (
        "columns:\n- name: v\n  checks: [{aggregate: {function: avg, threshold: {must_be: 9}}}]",
        "1 checks were not evaluated: columns.v.checks.aggregate",
    ),
    "percent of no rows": (PERCENT, "a percentage of no rows passes"),
}
OTHER = {
    "contract of another table": "the contract is of another table",
    "missing table": "TABLE_OR_VIEW_NOT_FOUND",
}
DELETED = "7, -7.0, true"
THREE = ["1, 1.0, false", "2, -5.0, false", "3, NULL, false"]


@pytest.fixture(scope="module")
def judged(shared_lake: Any) -> dict[str, Any]:
    """Case -> result."""
    lake = shared_lake
    silver = lake.filled(lake.name(Layer.SILVER), SILVER, [*THREE, DELETED])
    asked = {case: lake.judging(silver, body, key=("k",)) for case, (body, _) in CLOSED.items()}
    asked["failed"] = lake.judging(silver, f"checks: [{{row_count: {{}}}}]\n{POSITIVE}", key=("k",))
    asked["masked"] = lake.judging(silver, POSITIVE, key=("k",), masked=("v", "k"))
    asked["good"] = lake.judging(
        silver,
        "checks: [{row_count: {threshold: {must_be: 3}}}]\ncolumns: [{name: k, checks: [{missing: {}}]}]",
        key=("k",),
    )
    asked["contract of another table"] = lake.judging(silver, ROWS, dataset="lake/silver/other__t")

    absent = TableName(layer=Layer.SILVER, source=lake.source, table="absent")
    lake.heads[absent] = 1
    asked["missing table"] = lake.judging(absent, ROWS)
    empty = lake.filled(lake.name(Layer.SILVER, "empty"), SILVER, [DELETED])
    asked |= {case: lake.judging(empty, body) for case, (body, _) in EMPTY.items()}

    asked["percent and rows"] = lake.judging(empty, f"{PERCENT}\nchecks: [{{row_count: {{}}}}]")

    doubled = lake.filled(lake.name(Layer.SILVER, "doubled"), SILVER, ["1, 1.0, false", "1, 2.0, false"])
    asked["doubled"] = lake.judging(doubled, ROWS, key=("k",))
    asked["doubled masked"] = lake.judging(doubled, ROWS, key=("k",), masked=("k",))
    bronze = lake.filled(lake.name(Layer.BRONZE), "k bigint, _hw_batch bigint", ["1, 1", "2, 1", "3, 2"])
    asked["bronze"] = lake.judging(
        bronze, f"{COLUMNS}checks: [{{row_count: {{threshold: {{must_be: 1}}}}}}]", batch_only=2
    )
    asked |= _histories(lake)

    # every table moves on before it is judged
    lake.spark.sql(f"INSERT INTO {silver.iceberg} VALUES (9, 9.0, false)").collect()
    return dict(zip(asked, lake.judge(tuple(asked.values())), strict=True))


def _histories(lake: Any) -> dict[str, Any]:
    day = "TIMESTAMP '2026-01-0{} 00:00:00Z'".format
    first = f"1, 'a', {day(1)}, {day(3)}, NULL, false"
    disproved = f"1, 'x', {day(1)}, NULL, {day(5)}, false"
    late, apart = f"1, 'b', {day(2)}, NULL, NULL, false", f"1, 'b', {day(4)}, NULL, NULL, false"
    deleted = f"1, NULL, {day(3)}, {day(4)}, NULL, true"
    tables = {
        "overlap": [first, late],
        "gap": [first, apart],
        "ended": [first],
        "deletion": [first, disproved, deleted, apart],
    }
    names = {case: lake.name(Layer.SILVER, case.replace(" ", "_")) for case in tables}
    return {
        case: lake.judging(lake.filled(names[case], HISTORY, rows), ROWS, key=("k",)) for case, rows in tables.items()
    }


SAID = {case: said for case, (_, said) in (CLOSED | EMPTY).items()} | OTHER


@pytest.mark.parametrize(("case", "said"), SAID.items(), ids=SAID)
def test_what_cannot_be_evaluated_keeps_the_gate_closed(judged: Any, case: str, said: str) -> None:
    result = judged[case]
    assert not result.verdict.passed
    assert result.error_code == "gate_unsure", result
    assert said in result.verdict.reason


def test_a_percentage_beside_a_row_count_fails_on_no_rows(judged: Any) -> None:
    result = judged["percent and rows"]
    assert (result.verdict.passed, result.facts["check"]) == (False, "checks.row_count")


def test_a_failed_check_says_what_was_measured_and_shows_rows(judged: Any) -> None:
    result = judged["failed"]
    check = next(check for check in result.verdict.checks if check.name == "positive")
    assert (check.outcome, check.measured, check.rows_failed, check.rows_tested) == ("failed", 1.0, 1, 3)
    assert check.examples == ("k=2, v=-5.0",)
    assert (result.error_code, result.facts["column"], result.facts["count"]) == ("contract_broken", "v", "1")
    assert result.facts["value"] == "k=2, v=-5.0"


def test_masked_values_are_never_shown(judged: Any) -> None:
    masked, doubled = judged["masked"], judged["doubled masked"]
    assert not masked.verdict.passed
    assert "-5.0" not in masked.model_dump_json()
    assert doubled.facts["value"] == "k=***: 2 rows"


def test_good_data_passes_and_the_snapshot_is_the_staged_one(judged: Any) -> None:
    """The staged snapshot has three rows, and one that is deleted; ``main`` has one more by now."""
    verdict = judged["good"].verdict
    assert verdict.passed, verdict.reason
    assert verdict.checks_declared == len(verdict.checks) == 3


def test_doubled_keys_close_the_gate_without_a_contract_saying_so(judged: Any) -> None:
    result = judged["doubled"]
    assert not result.verdict.passed
    assert (result.facts["check"], result.facts["value"]) == ("key is unique", "k=1: 2 rows")


@pytest.mark.parametrize("case", ["overlap", "gap", "ended"])
def test_histories_with_gaps_or_overlaps_close_the_gate(judged: Any, case: str) -> None:
    """Rule 35: versions follow each other without a break, and the last one is open."""
    assert not judged[case].verdict.passed
    assert judged[case].facts["check"] == "versions have no gap and no overlap"
    assert judged[case].facts["value"].startswith("k=1: [2026-01-01")


def test_the_time_a_key_was_deleted_is_no_gap(judged: Any) -> None:
    """And beliefs that ended overlap nothing."""
    assert judged["deletion"].verdict.passed, judged["deletion"].verdict.reason


def test_bronze_is_judged_by_its_own_batch(judged: Any) -> None:
    assert judged["bronze"].verdict.passed, judged["bronze"].verdict.reason
