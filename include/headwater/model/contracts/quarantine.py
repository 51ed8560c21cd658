"""Which checks may divert rows: silver's row rules, judged without a threshold (rule 40)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from headwater.model.contracts.contract import Written
from headwater.model.contracts.grammar import ON_FAILURE, QUARANTINE
from headwater.model.contracts.predicates import row_predicate
from headwater.model.schedules import Finding
from headwater.model.spec_errors import shown
from headwater.model.sql.expressions import expression_fault

_ROW_RULES = "missing, invalid without reference data, failed_rows with an expression"


def quarantine_findings(checks: Sequence[Written], content: dict[str, Any], is_silver: bool) -> Iterator[Finding]:
    """What is wrong with ``attributes`` and with the expressions rows are judged by."""
    diverting = [check for check in checks if ON_FAILURE in _attributes(check)]
    names = Counter(str(check.body.get("name") or check.path) for check in diverting)
    for check in checks:
        yield from _attribute_findings(check)
        yield from _expressions(check)
    for check in diverting:
        at = (*check.at, "attributes", ON_FAILURE)
        value = _attributes(check)[ON_FAILURE]
        if value != QUARANTINE:
            yield at, "no such outcome", shown(value), QUARANTINE
        if not is_silver:
            yield at, "rows are diverted on their way to silver only", shown(value), "a rule in the silver contract"
        if row_predicate(check.type, check.column, check.body, content.get("filter")) is None:
            yield at, "this check does not judge single rows", check.type, _ROW_RULES
        if "threshold" in check.body:
            allowed = "no threshold; max_quarantined_share of the table holds what is too much"
            yield (*check.at, "threshold"), "every offending row is diverted, so no threshold can apply", None, allowed
        if names[str(check.body.get("name") or check.path)] > 1:
            yield check.at, "two rules that divert rows have one name", shown(check.body.get("name")), "name: its own"


def _attributes(check: Written) -> dict[str, Any]:
    found = check.body.get("attributes")
    return found if isinstance(found, dict) else {}


def _attribute_findings(check: Written) -> Iterator[Finding]:
    for key in _attributes(check):
        if key != ON_FAILURE:
            yield (*check.at, "attributes", key), f"unknown attribute {key!r}", key, ON_FAILURE


def _expressions(check: Written) -> Iterator[Finding]:
    for key in ("expression", "filter"):
        text = check.body.get(key)
        if check.type == "metric" or not isinstance(text, str) or "${" in text:
            continue
        fault = expression_fault(text)
        if fault is not None:
            yield (*check.at, key), fault, shown(text), "one Spark SQL condition over the columns of a row"
