"""What must hold for a table that follows a stream of changes (``silver: {mode: cdc}``)."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.spec import TableSpec
from headwater.model.schedules import Finding

CHANGE_EXTRACTS: frozenset[str] = frozenset()
"""Kinds of extract that deliver changes with the bronze columns ``CHANGE_COLUMNS``."""


def cdc_findings(table: TableSpec) -> Iterator[Finding]:
    """What is wrong with the words of a stream of changes; paths start at the table."""
    silver = table.silver
    if silver.mode == "cdc":
        yield from _cdc(table)
    elif "applied_as" in silver.model_fields_set:
        yield ("silver", "as"), "as belongs to silver mode cdc", silver.mode, "mode: cdc, or no as"
    for name, rule in table.columns.items():
        if rule.renamed_from is not None:
            yield from _renamed(table, name, rule.renamed_from)
        if rule.default is not None and rule.expression is not None:
            message = "default has no effect beside expression"
            yield ("columns", name, "default"), message, repr(rule.default), "coalesce(…) in the expression"


def _cdc(table: TableSpec) -> Iterator[Finding]:
    kind = table.extract.kind
    if kind not in CHANGE_EXTRACTS:
        allowed = "upsert or scd2: no extract of this version reads a stream of changes"
        yield ("silver", "mode"), f"an extract of kind {kind} delivers no changes", "cdc", allowed
    for name in ("sequence_by", "valid_from"):
        if getattr(table.silver, name) is not None:
            message = "changes are ordered by their place in the source's log, and hold since their commit"
            yield ("silver", name), message, getattr(table.silver, name), f"no {name}"
    if table.silver.form == "scd2" and not table.key:
        yield ("key",), "a history needs a key", "none", "key: [column, …], or as: upsert"


def _renamed(table: TableSpec, name: str, old: str) -> Iterator[Finding]:
    path, rule = ("columns", name, "renamed_from"), table.columns[name]
    if table.silver.mode != "cdc":
        yield path, "renamed_from belongs to silver mode cdc", table.silver.mode, "mode: cdc, or no renamed_from"
    if rule.expression is not None:
        yield path, "renamed_from has no effect beside expression", repr(old), "coalesce(new, old) in the expression"
    if old == name or old in table.columns:
        yield path, "the earlier name is a column of its own", repr(old), "a name without a rule of its own"
