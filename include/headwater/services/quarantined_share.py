"""How much of a table's rows may be diverted before the gate closes."""

from __future__ import annotations

from headwater.domain.job import BuildTable, RefineTable, TableResult
from headwater.domain.quarantine_share import ALWAYS_TOLERATED_ROWS, is_too_much
from headwater.domain.staging import CheckResult, Verdict

SHARE_CHECK = "max_quarantined_share"
"""Type, name and path of the check: the key of the YAML that sets it."""


def share_checks(item: RefineTable | BuildTable, result: TableResult) -> tuple[CheckResult, ...]:
    """The check of a refined table that can divert rows: failed above ``max_quarantined_share`` and ten rows.

    Rows that a person discarded are no accident: a refine that sets rows aside is not judged by its share.
    """
    if isinstance(item, BuildTable) or result.staged is None or item.set_aside:
        return ()
    diverted, rows, allowed = result.staged.quarantined, result.rows_read, item.spec.max_quarantined_share
    if not diverted and not item.quarantine_rules:
        return ()
    too_many = is_too_much(diverted, rows, allowed)
    return (
        CheckResult(
            name=SHARE_CHECK,
            type=SHARE_CHECK,
            path=SHARE_CHECK,
            outcome="failed" if too_many else "passed",
            measured=round(100 * diverted / max(rows, 1), 2),
            threshold=f"{allowed:.1%} of the rows, or {ALWAYS_TOLERATED_ROWS} rows",
            rows_failed=diverted,
            rows_tested=rows,
        ),
    )


def with_own_checks(verdict: Verdict, checks: tuple[CheckResult, ...]) -> Verdict:
    """The gate's verdict joined with what the stage measured: open only when both are."""
    if not checks:
        return verdict
    failed = ", ".join(check.name for check in checks if check.outcome == "failed")
    return verdict.model_copy(
        update={
            "passed": verdict.passed and not failed,
            "reason": "; ".join(filter(None, (verdict.reason, failed and f"failed: {failed}"))),
            "checks": (*verdict.checks, *checks),
            "checks_declared": verdict.checks_declared + len(checks),
        }
    )
