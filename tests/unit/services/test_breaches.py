"""A closed gate is told with its numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.domain.errors import ContractBrokenError, GateError
from headwater.domain.names import Layer, TableName
from headwater.domain.staging import CheckResult, StagedTable, TableState, Verdict
from headwater.ports.run_store import StagedRecord
from headwater.services.breaches import breach_of

TABLE = TableName(layer=Layer.SILVER, source="flights", table="flights")


def record() -> StagedRecord:
    staged = StagedTable(
        table=TABLE,
        attempt="a1",
        branch="hw_a1",
        base=1,
        staged=2,
        state=TableState(run_key="i/flights/r1", spec_hash="h"),
        rows=1000,
    )
    at = datetime(2013, 2, 1, tzinfo=UTC)
    return StagedRecord(
        run_key="i/flights/r1", stage="refine_to_silver", staged=staged, status="staged", inputs_hash="h", created_at=at
    )


def verdict(*checks: CheckResult, reason: str = "") -> Verdict:
    return Verdict(
        table=TABLE,
        snapshot_id=2,
        contract_hash="c",
        passed=False,
        reason=reason,
        checks_declared=max(1, len(checks)),
        checks=checks,
    )


def test_a_broken_rule_names_table_column_count_and_values() -> None:
    check = CheckResult(
        name="distance is positive",
        type="invalid",
        column="distance",
        outcome="failed",
        measured=37,
        threshold="must be 0",
        rows_failed=37,
        examples=("-1400", "-229"),
        predicate="`distance` < 1",
    )

    error = breach_of(verdict(check), record())

    assert isinstance(error, ContractBrokenError)
    assert error.message == (
        "silver.flights.flights: 37 rows break `distance is positive` in column distance (such as -1400)"
    )
    assert error.facts["count"] == "37"
    assert error.facts["column"] == "distance"
    assert error.facts["predicate"] == "`distance` < 1"
    assert error.facts["rows"] == "1000"


def test_what_breaks_a_rule_that_diverts_was_released_before_it_and_is_rebuilt() -> None:
    """Rule 21: a discard sets rows of the held batches aside, so that it does not open this gate."""
    old = CheckResult(name="small", type="invalid", outcome="failed", threshold="must be 0", rows_failed=2)
    error = breach_of(verdict(old), record(), {"small": "`v` > 100"})
    assert error.facts["rebuilt_table"] == "silver.flights.flights"
    assert error.remedy is not None
    assert "headwater rebuild silver.flights.flights" in error.remedy
    assert "discard" not in error.remedy
    assert breach_of(verdict(old), record(), {"other": "`v` > 100"}).facts["rebuilt_table"] == ""


def test_a_check_that_counted_says_among_how_many_rows() -> None:
    """A staging counts kept tombstones and ended versions, which no check looks at."""
    check = CheckResult(name="x", type="missing", outcome="failed", threshold="must be 0", rows_failed=1, rows_tested=9)
    assert breach_of(verdict(check), record()).facts["rows"] == "9"


def test_a_check_of_the_whole_table_says_what_was_measured_and_allowed() -> None:
    check = CheckResult(name="row_count", type="row_count", outcome="failed", measured=0, threshold="must be > 0")

    error = breach_of(verdict(check), record())

    assert "measured 0, allowed must be > 0" in error.message


def test_a_gate_without_a_failed_check_is_unsure_and_stays_closed() -> None:
    error = breach_of(verdict(reason="2 of 5 checks were not evaluated"), record())

    assert isinstance(error, GateError)
    assert error.facts["reason"] == "2 of 5 checks were not evaluated"
