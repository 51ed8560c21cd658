"""What must hold for a contract, because Soda lets the opposite pass quietly (stack facts of Soda 4.28)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from headwater.domain.errors import SpecError
from headwater.domain.names import Layer, TableName
from headwater.model.contracts.contract import Written, parse_contract, variables_of, written_checks
from headwater.model.contracts.grammar import (
    COLUMN_CHECKS,
    COLUMN_KEYS,
    COUNTS,
    DATASET_CHECKS,
    NEEDS_THRESHOLD,
    TOP_KEYS,
    VALIDITY,
)
from headwater.model.contracts.json_schema import schema_findings
from headwater.model.contracts.quarantine import quarantine_findings
from headwater.model.contracts.thresholds import count_findings, threshold_findings
from headwater.model.contracts.validity import validity_findings
from headwater.model.schedules import Finding
from headwater.model.spec_errors import shown, unknown_key
from headwater.model.yaml_text import YamlDocument

_COLUMNS = "columns: [{name: …, checks: […]}, …], or columns: [] where no check is of a column"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def lint_contract(text: str, file: str, table: TableName) -> tuple[SpecError, ...]:
    """Everything wrong with the contract of ``table``; empty when it may gate."""
    try:
        document = parse_contract(text, file)
    except SpecError as error:
        return (error,)
    if not isinstance(document.value, dict):
        return (SpecError("a contract is a mapping", document.locate(()), allowed=", ".join(sorted(TOP_KEYS))),)
    errors = [*_keys(document), *_explained(document, _findings(document.value, text, table))]
    return tuple(errors or _explained(document, schema_findings(document.value)))


def _explained(document: YamlDocument, findings: Iterator[Finding]) -> list[SpecError]:
    return [SpecError(message, document.locate(path), got, allowed) for path, message, got, allowed in findings]


def _keys(document: YamlDocument) -> Iterator[SpecError]:
    content = document.value
    yield from (unknown_key(document, (key,), TOP_KEYS) for key in content if key not in TOP_KEYS)
    columns = content.get("columns")
    for index, column in enumerate(columns if isinstance(columns, list) else []):
        if isinstance(column, dict):
            at = ("columns", index)
            yield from (unknown_key(document, (*at, key), COLUMN_KEYS) for key in column if key not in COLUMN_KEYS)
            yield from _items(document, column.get("checks"), (*at, "checks"), COLUMN_CHECKS)
    yield from _items(document, content.get("checks"), ("checks",), DATASET_CHECKS)


def _items(
    document: YamlDocument, items: Any, at: tuple[str | int, ...], grammar: dict[str, frozenset[str]]
) -> Iterator[SpecError]:
    for index, item in enumerate(items if isinstance(items, list) else []):
        place = (*at, index)
        if not isinstance(item, dict) or len(item) != 1:
            allowed = "one of " + ", ".join(sorted(grammar))
            yield SpecError("an entry holds exactly one check", document.locate(place), shown(item), allowed)
            continue
        kind, body = next(iter(item.items()))
        if kind not in grammar:
            yield unknown_key(document, (*place, kind), grammar)
        elif isinstance(body, dict):
            wrong = (key for key in body if key not in grammar[kind])
            yield from (unknown_key(document, (*place, kind, key), grammar[kind]) for key in wrong)


def _findings(content: dict[str, Any], text: str, table: TableName) -> Iterator[Finding]:
    checks = list(written_checks(content))
    expected = f"lake/{table.layer.value}/{table.source}__{table.table}"
    if content.get("dataset") != expected:
        yield ("dataset",), "the contract is of another table", shown(content.get("dataset")), expected
    if not checks:
        yield ("checks",), "a contract without checks lets everything pass", "no checks", "at least one check"
    percent = next((check for check in checks if _metric(check) == "percent"), None)
    if percent is not None and all(check.type != "row_count" for check in checks):
        message = "a percentage of no rows passes: a percent threshold needs a row_count check beside it"
        yield (*percent.at, "threshold"), message, "no row_count", "checks: [{row_count: {threshold: …}}]"
    counts, variables = Counter(check.path for check in checks), variables_of(content)
    for check in checks:
        yield from _check(check, counts, variables)
    yield from _columns(content)
    yield from _variables(content, text)
    yield from quarantine_findings(checks, content, table.layer is Layer.SILVER)


def _metric(check: Written) -> object:
    threshold = check.body.get("threshold")
    return threshold.get("metric") if isinstance(threshold, dict) else None


def _check(check: Written, counts: Counter[str], variables: Mapping[str, str]) -> Iterator[Finding]:
    if counts[check.path] > 1:
        yield check.at, "the same check twice needs qualifiers", check.path, "qualifier: a name of its own"
    yield from validity_findings(check)
    if check.type == "invalid" and not any(check.body.get(key) not in (None, [], "") for key in VALIDITY):
        yield check.at, "invalid says nothing of what is valid", "no rule", "one of " + ", ".join(sorted(VALIDITY))
    threshold = check.body.get("threshold")
    if threshold is None and check.type in NEEDS_THRESHOLD - {"row_count"}:
        yield check.at, f"{check.type} judges nothing without a threshold", "none", "threshold: {must_be…: …}"
    if isinstance(threshold, dict):
        yield from threshold_findings(threshold, (*check.at, "threshold"), variables)
        if check.type in COUNTS:
            yield from count_findings(threshold, (*check.at, "threshold"))


def _columns(content: dict[str, Any]) -> Iterator[Finding]:
    """Soda asks every contract for its columns, were it for none of them."""
    columns = content.get("columns")
    if not isinstance(columns, list):
        got = shown(columns) if "columns" in content else "no such key"
        yield ("columns",), "a contract lists the columns it has checks of", got, _COLUMNS
        return
    names = [column.get("name") if isinstance(column, dict) else None for column in columns]
    counts = Counter(name for name in names if isinstance(name, str))
    for index, name in enumerate(names):
        if not isinstance(name, str):
            yield ("columns", index), "an entry is a column by its name", shown(columns[index]), _COLUMNS
        elif counts[name] > 1:
            yield ("columns", index, "name"), "the column is listed twice", repr(name), "each column once"


def _variables(content: dict[str, Any], text: str) -> Iterator[Finding]:
    known = variables_of(content)
    for reference in sorted({match[1].strip() for match in _REFERENCE.finditer(text)}):
        if reference.removeprefix("var.") not in known or not reference.startswith("var."):
            message = "a contract reads only variables it declares with a default, never the environment"
            allowed = ", ".join(f"${{var.{name}}}" for name in sorted(known)) or "none is declared"
            yield ("variables",), message, f"${{{reference}}}", allowed
