"""What is wrong with a row that arrived, in DuckDB's SQL."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.mysql.work import UNUSABLE, Read


@dataclass(frozen=True, slots=True)
class Fault:
    """One way a row can be unfit.

    :param rule: ``<rule>:<column>``, as it stands in ``_hw_rules``. :param condition: true or false, never NULL.
    """

    rule: str
    reason: str
    condition: str


def faults(work: Read) -> list[Fault]:
    """Every way a row of this read can be unfit."""
    found = []
    for column in work.columns:
        arrived = work.arrivals[column.name]
        untypable = column.is_untypable(arrived)
        if untypable and (column.judged_as or work.extract.non_finite != "null"):
            years = " of the years 1 to 9999" if column.judged_as is None else ""
            reason = f"{column.name} is no {column.judged_as or column.type}{years}"
            found.append(Fault(f"untypable:{column.name}", reason, untypable))
        if column.name in work.table.key:
            # a key that the policy makes NULL is none either
            missing = f"{arrived} IS NULL" if not untypable else f"({arrived} IS NULL OR {untypable})"
            null = missing if work.extract.non_finite == "null" else f"{arrived} IS NULL"
            found.append(Fault(f"null_key:{column.name}", f"key {column.name} is NULL", null))
    return found + _of_the_cursor(work)


def _of_the_cursor(work: Read) -> list[Fault]:
    if work.cursor is None or not work.asks_for_cursors:
        return []
    name = work.cursor.column.name
    future = Fault(f"future_cursor:{name}", f"cursor {name} is in the future", f"coalesce({UNUSABLE} = 2, false)")
    # a zero date is named as what it is, unless the policy makes it NULL
    is_null = f"{work.arrivals[name]} IS NULL" if work.extract.non_finite != "null" else "true"
    null = f"coalesce({UNUSABLE} = 1, false) AND {is_null}"
    return [Fault(f"null_cursor:{name}", f"cursor {name} is NULL", null), future]


def is_unfit(found: list[Fault]) -> str:
    return " OR ".join(f"({fault.condition})" for fault in found) or "false"


def rejected(work: Read, found: list[Fault], source: str) -> str:
    """The unfit rows of ``source`` as ``ordinal, of_cursor, rules, reason, payload, key, origin``.

    ``of_cursor`` is true of rows that are in no window. The payload is the whole row.
    """
    arrivals = work.arrivals
    texts = {column.name: column.text(arrivals[column.name]) for column in work.columns}
    rules = ", ".join(f"CASE WHEN {fault.condition} THEN {literal(fault.rule)} END" for fault in found)
    reasons = ", ".join(f"CASE WHEN {fault.condition} THEN {literal(fault.reason)} END" for fault in found)
    every = ", ".join(f"{literal(name)}, {text}" for name, text in texts.items())
    key = ", ".join(f"{literal(name)}, {texts[name]}" for name in work.table.key)
    known = " AND ".join(f"{arrivals[name]} IS NOT NULL" for name in work.table.key)
    return (
        f"(SELECT ordinal, {f'{UNUSABLE} IS NOT NULL' if work.asks_for_cursors else 'false'} AS of_cursor, "  # noqa: S608 - made of quoted names and literals
        f"concat_ws(',', {rules}) AS rules, concat_ws('; ', {reasons}) AS reason, "
        f"json_object({every})::VARCHAR AS payload, "
        f"{f'CASE WHEN {known} THEN json_object({key})::VARCHAR END' if key else 'NULL::VARCHAR'} AS key, "
        f"{literal(work.origin)} AS origin FROM {source} WHERE {is_unfit(found)})"
    )
