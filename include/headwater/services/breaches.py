"""From a verdict to the error that an alert is made of."""

from __future__ import annotations

from collections.abc import Collection

from headwater.domain.errors import ContractBrokenError, GateError, HeadwaterError
from headwater.domain.names import Layer, TableName
from headwater.domain.staging import CheckResult, Verdict
from headwater.ports.run_store import StagedRecord
from headwater.services.quarantined_share import SHARE_CHECK


def breach_of(verdict: Verdict, record: StagedRecord, diverting: Collection[str] = ()) -> HeadwaterError:
    """Why this gate stayed closed: a broken check with its numbers, or a gate that could not be evaluated.

    :param diverting: names of the contract's rules whose rows go to quarantine before the gate. What breaks one of them
        at the gate was in the table before: a discard, which sets rows of the held batches aside, does not reach it.
    """
    failed = [check for check in verdict.checks if check.outcome == "failed"]
    if not failed:
        return _unsure(verdict)
    # the check with an offending-row count says more than a derived one
    worst = max(failed, key=lambda check: (check.rows_failed or 0, check.predicate is not None))
    more = f", and {len(failed) - 1} more checks failed" if len(failed) > 1 else ""
    count = worst.rows_failed if worst.rows_failed is not None else worst.measured
    message = f"{verdict.table}: {_said(worst)}{more}"
    is_old = worst.name in diverting
    return ContractBrokenError(
        message,
        got="; ".join(worst.examples) or f"{worst.measured}",
        allowed=worst.threshold,
        remedy=_remedy(verdict.table, is_old),
        facts={
            "table": verdict.table.dotted,
            "column": worst.column or "",
            "rule": worst.name,
            "count": _number(count),
            "measured": _measured(worst),
            "threshold": worst.threshold,
            "examples": "; ".join(worst.examples[:2]),
            "predicate": worst.predicate or "",
            "attempt": record.staged.attempt,
            "rows": str(record.staged.rows if worst.rows_tested is None else worst.rows_tested),
            "held_snapshot": str(record.staged.staged),
            "quarantine_table": _quarantine_of(verdict.table),
            "rebuilt_table": verdict.table.dotted if is_old else "",
        },
    )


def _remedy(table: TableName, is_old: bool) -> str:
    aside = f"set them aside with `headwater rebuild {table}`" if is_old else "set them aside with discard"
    return f"Correct the rows at the source, {aside}, or let them through with accept."


def _said(check: CheckResult) -> str:
    if check.type == SHARE_CHECK:
        return f"{check.rows_failed:,} of {check.rows_tested:,} rows broke a row rule and are in quarantine"
    where = f" in column {check.column}" if check.column else ""
    if check.rows_failed:
        values = f" (such as {check.examples[0]})" if check.examples else ""
        return f"{check.rows_failed:,} rows break `{check.name}`{where}{values}"
    return f"`{check.name}`{where} measured {_number(check.measured)}, allowed {check.threshold}"


def _quarantine_of(table: TableName) -> str:
    """Where a discard puts rows; empty where there is none to set aside (only rows of silver can be)."""
    return table.model_copy(update={"layer": Layer.QUARANTINE}).dotted if table.layer is Layer.SILVER else ""


def _measured(check: CheckResult) -> str:
    return _number(check.measured) + (" %" if check.type == SHARE_CHECK else "")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _unsure(verdict: Verdict) -> GateError:
    return GateError(
        f"{verdict.table}: the gate could not be evaluated: {verdict.reason}",
        got=verdict.reason,
        allowed="every declared check evaluated, without errors",
        remedy="Mend the contract, then clear the run; what is staged is judged again.",
        facts={"table": verdict.table.dotted, "reason": verdict.reason},
    )
