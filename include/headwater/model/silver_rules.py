"""What must hold for the way a table's silver follows its extract, and for the words that only some modes know."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.spec import SqlExtract, TableSpec
from headwater.model.schedules import Finding

_SCD2_ONLY = ("valid_from", "initial_valid_from", "track")


def silver_findings(table: TableSpec) -> Iterator[Finding]:
    """What is wrong with the mode of a table and the words beside it; paths start at the table."""
    yield from _modes(table)
    yield from _scd2_only(table)
    yield from _without_effect(table)


def _modes(table: TableSpec) -> Iterator[Finding]:
    extract, silver = table.extract, table.silver
    incremental = extract.mode == "incremental"
    if isinstance(extract, SqlExtract) and incremental and extract.cursor is None:
        yield ("extract", "cursor"), "an incremental extract needs a cursor", "none", "a column that only grows"
    if silver.mode == "append" and not incremental:
        allowed = "upsert or scd2: a full extract is compared with its predecessor (rule 31)"
        yield ("silver", "mode"), "append cannot follow a snapshot extract", "append", allowed
    if silver.mode in {"upsert", "scd2"} and incremental and silver.sequence_by is None:
        message = f"silver mode {silver.mode} after an incremental extract needs sequence_by"
        yield ("silver", "sequence_by"), message, "none", "the column that orders versions of a key"


def _scd2_only(table: TableSpec) -> Iterator[Finding]:
    for name in _SCD2_ONLY:
        if table.silver.form != "scd2" and getattr(table.silver, name):
            message = f"{name} belongs to silver mode scd2"
            yield ("silver", name), message, table.silver.mode, f"mode: scd2, or no {name}"


def _without_effect(table: TableSpec) -> Iterator[Finding]:
    silver = table.silver
    if silver.mode == "append" and silver.sequence_by is not None:
        allowed = "no sequence_by: append keeps every event; or mode: upsert or scd2"
        yield ("silver", "sequence_by"), "append has no versions to order", repr(silver.sequence_by), allowed
    for name in ("max_delete_share", "allow_empty"):
        if table.extract.mode != "snapshot" and name in silver.model_fields_set:
            message = f"{name} judges full extracts, where a row that is missing was deleted"
            yield ("silver", name), message, f"an {table.extract.mode} extract", f"extract.mode: snapshot, or no {name}"
    for index, name in enumerate(silver.track if silver.form == "scd2" else ()):
        if name in table.key:
            allowed = "columns that change while their key stays; all but the key without track"
            yield ("silver", "track", index), "a column of the key never opens a version of it", repr(name), allowed
        elif name in silver.track[:index]:
            yield ("silver", "track", index), "a column is tracked twice", repr(name), "each column once"
