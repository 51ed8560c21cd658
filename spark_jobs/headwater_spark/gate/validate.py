"""``validate``: a verdict for exactly one snapshot. Whatever cannot be evaluated keeps the gate closed (rule 15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from headwater.domain.errors import ContractBrokenError, GateError
from headwater.domain.job import TableResult, ValidateTable
from headwater.domain.staging import CheckResult, Verdict
from headwater.model.contracts.contract import DeclaredCheck, declared_checks
from headwater.model.contracts.lint import lint_contract
from headwater.ports.failpoints import failpoint
from headwater_spark.entrypoints.java_said import away
from headwater_spark.gate.examples import offending_rows
from headwater_spark.gate.implicit import implicit_checks
from headwater_spark.gate.pinned_view import contract_view, pinned_rows
from headwater_spark.gate.soda import SodaSaid, verify

_OUTCOMES = {"PASSED": "passed", "FAILED": "failed", "WARN": "warned", "EXCLUDED": "excluded"}


def validate_table(spark: SparkSession, table: ValidateTable) -> TableResult:
    """Judge one table. A gate that could not be evaluated is a closed verdict with its reason, not an exception.

    :raises CatalogError: when catalog or store could not be reached: no verdict, so the gate is closed, and another try
        may judge.
    """
    failpoint("validate.begin")
    try:
        declared = declared_checks(table.contract, f"contract of {table.table}")
        rows = pinned_rows(spark, table)
        view = contract_view(rows, table)
        said = verify(spark, table.contract, view)
        checks = (*_explained(spark, view, table, said, declared), *implicit_checks(rows, table))
    except Exception as error:  # noqa: BLE001 - fail closed: any trouble of the gate is a closed gate
        _refuse_unreachable(table, str(error))
        return _closed(table, f"the gate could not be evaluated: {_first_line(error)}")
    # a plan may be older than the lint, or its file changed by hand
    refused = lint_contract(table.contract, f"contract of {table.table}", table.table)
    unsure = why_unsure(said, declared, checks) or "; ".join(f"{error.message}: {error.got}" for error in refused[:3])
    if unsure:
        _refuse_unreachable(table, "\n".join(said.errors))
        return _closed(table, unsure, checks, len(declared))
    return _judged(table, checks)


def _refuse_unreachable(table: ValidateTable, said: str) -> None:
    error = away(table.table, said)
    if error is not None:
        raise error


def why_unsure(said: SodaSaid, declared: Sequence[DeclaredCheck], checks: Sequence[CheckResult]) -> str:
    """Why Soda's answer cannot be trusted, or nothing. Failed checks are no reason: they are an answer."""
    silent = [check.name for check in checks if check.outcome in {"not_evaluated", "excluded"}]
    failed = any(check.outcome == "failed" for check in checks)
    reasons = (
        (said.errors, f"Soda reported {len(said.errors)} errors: {' '.join(said.errors)[:300]}"),
        (not declared, "the contract declares no checks"),
        (silent, f"{len(silent)} checks were not evaluated: {', '.join(silent[:5])}"),
        (len(said.checks) != len(declared), f"{len(said.checks)} of {len(declared)} declared checks were evaluated"),
        (not said.is_passing and said.status != "FAILED", f"Soda's status is {said.status}"),
        (said.status == "FAILED" and not failed, "Soda says failed and names no failed check"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _judged(table: ValidateTable, checks: Sequence[CheckResult]) -> TableResult:
    failed = [check for check in checks if check.outcome == "failed"]
    verdict = _verdict(table, checks, len(checks), "; ".join(_reason(check) for check in failed[:3]), passed=not failed)
    if not failed:
        return TableResult(table=table.table, status="judged", verdict=verdict)
    worst = failed[0]
    facts = {
        "table": table.table.dotted,
        "check": worst.name,
        "column": worst.column or "",
        "count": str(worst.rows_failed if worst.rows_failed is not None else len(failed)),
        "value": worst.examples[0] if worst.examples else "",
        "threshold": worst.threshold,
        "measured": "" if worst.measured is None else f"{worst.measured:g}",
        "predicate": worst.predicate or "",
        "failed_checks": str(len(failed)),
        "snapshot": str(table.snapshot_id),
    }
    return TableResult(
        table=table.table,
        status="judged",
        verdict=verdict,
        error_code=ContractBrokenError.code,
        error=verdict.reason,
        facts=facts,
    )


def _closed(table: ValidateTable, reason: str, checks: Sequence[CheckResult] = (), declared: int = 0) -> TableResult:
    return TableResult(
        table=table.table,
        status="judged",
        verdict=_verdict(table, checks, declared, reason, passed=False),
        error_code=GateError.code,
        error=reason,
        facts={"table": table.table.dotted, "reason": reason, "snapshot": str(table.snapshot_id)},
    )


def _verdict(
    table: ValidateTable, checks: Sequence[CheckResult], declared: int, reason: str, *, passed: bool
) -> Verdict:
    return Verdict(
        table=table.table,
        snapshot_id=table.snapshot_id,
        contract_hash=table.contract_hash,
        passed=passed,
        reason=reason,
        checks_declared=declared,
        checks=tuple(checks),
        judged_at=datetime.now(UTC),
    )


def _explained(
    spark: SparkSession, view: str, table: ValidateTable, said: SodaSaid, declared: Sequence[DeclaredCheck]
) -> list[CheckResult]:
    by_path = {check.path: check for check in declared}
    results = []
    for found in said.checks:
        written = by_path.get(found.check.relative_path)
        result = _measured(found, written)
        if result.outcome in {"failed", "warned"} and written is not None:
            result = result.model_copy(update={"examples": offending_rows(spark, view, table, written)})
        results.append(result)
    return results


def _measured(found: Any, written: DeclaredCheck | None) -> CheckResult:
    numbers: Mapping[str, Any] = found.diagnostic_metric_values or {}
    outcome = _OUTCOMES.get(found.outcome.name, "not_evaluated")
    failed = next((numbers[name] for name in _counts_of(found.check.type) if numbers.get(name) is not None), None)
    tested = numbers.get("check_rows_tested", numbers.get("dataset_rows_tested"))
    return CheckResult(
        name=(written.name if written else found.check.name) or found.check.relative_path,
        type=found.check.type,
        column=found.check.column_name,
        outcome=outcome,
        measured=None if found.threshold_value is None else float(found.threshold_value),
        threshold=written.threshold if written else str(found.check.threshold),
        rows_failed=None if failed is None else int(failed),
        rows_tested=None if tested is None else int(tested),
        path=found.check.relative_path,
        predicate=written.predicate if written else None,
    )


def _counts_of(kind: str) -> tuple[str, ...]:
    return (f"{kind}_count", "failed_rows_count") if kind != "row_count" else ()


def _reason(check: CheckResult) -> str:
    where = f" ({check.column})" if check.column else ""
    measured = "" if check.measured is None else f" measured {check.measured:g},"
    rows = f", {check.rows_failed} rows" if check.rows_failed else ""
    return f"{check.name}{where}:{measured} {check.threshold}{rows}"


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0][:300] if text else ''}"
