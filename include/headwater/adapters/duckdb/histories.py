"""``<table>_as_known_at(instant)`` and ``<table>_valid_at(instant)``: table functions over an scd2 table (rule 35)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from headwater.adapters.duckdb.sql import quoted
from headwater.domain.errors import QueryRefusedError
from headwater.domain.names import RESERVED_PREFIX, TableName

AS_KNOWN_AT, VALID_AT = "_as_known_at", "_valid_at"


def history_functions(tables: Iterable[TableName]) -> frozenset[str]:
    """The names a query may call of these tables, where they have a history."""
    return frozenset(f"{table.table}{end}" for table in tables for end in (AS_KNOWN_AT, VALID_AT))


def check_histories(called: Iterable[str], made: Set[str]) -> None:
    """Say of a table without a history that it has none; DuckDB would propose the function of another table.

    :param called: functions by their full names, as in ``silver.flights.airports_valid_at``.
    :param made: those there are.
    :raises QueryRefusedError: for the first that is none of them.
    """
    for function in called:
        end = AS_KNOWN_AT if function.endswith(AS_KNOWN_AT) else VALID_AT
        table = function.removesuffix(end)
        if function in made:
            continue
        if table + VALID_AT in made:
            raise QueryRefusedError(
                f"No file says any more what the key of {table} is, without which nobody can say what was known.",
                got=function, remedy=f"Ask for `{table + VALID_AT}`, or restore the table's file.",
            )  # fmt: skip
        raise QueryRefusedError(
            f"{table} keeps no history, so nobody can say what it held at an instant.",
            got=function,
            allowed=", ".join(sorted(made)) or "no released table keeps a history",
            remedy="Only silver of mode scd2 does. What readers saw of any table is kept by releases for a while: "
            "`headwater releases` lists them, `headwater query --release` reads one.",
        )


def history_macros(table: TableName, scan: str, columns: Sequence[str], key: Sequence[str] | None) -> dict[str, str]:
    """How a function's name ends -> the statement that makes it for one table; none of a table without a history.

    :param scan: what gives all rows of the released snapshot.
    :param columns: of the scan, system columns included.
    :param key: columns that identify a row. None makes ``_valid_at`` only.
    """
    if "batch_out" not in columns:
        return {}
    where = f"{table.layer}.{quoted(table.source)}"
    valid_at = (
        f"CREATE MACRO {where}.{quoted(table.table + VALID_AT)}(instant) AS TABLE "  # noqa: S608 - names, quoted
        f"SELECT {_columns(columns)} FROM {scan} b WHERE NOT b._hw_deleted AND b.batch_out IS NULL "
        f"AND b.valid_from <= instant AND (b.valid_to IS NULL OR b.valid_to > instant)"
    )
    if key is None:
        return {VALID_AT: valid_at}
    as_known_at = _as_known_at(f"{where}.{quoted(table.table + AS_KNOWN_AT)}", scan, columns, key)
    return {VALID_AT: valid_at, AS_KNOWN_AT: as_known_at}


def _as_known_at(function: str, scan: str, columns: Sequence[str], key: Sequence[str]) -> str:
    """Beliefs as they stood. An open version that ended since gets its end taken back: it is written into the row,
    and was known only when its successor was.
    """
    same = " AND ".join(f"s.{quoted(column)} IS NOT DISTINCT FROM b.{quoted(column)}" for column in key)
    known = "{0}.batch_in <= instant AND ({0}.batch_out IS NULL OR {0}.batch_out > instant)"
    ended = (
        f"EXISTS (SELECT 1 FROM {scan} s WHERE {same} "  # noqa: S608 - made of quoted names and literals
        f"AND s.valid_from = b.valid_to AND {known.format('s')})"
    )
    shown = _columns(
        columns,
        valid_to=f"CASE WHEN {ended} THEN b.valid_to END",
        is_current=f"b.valid_to IS NULL OR NOT {ended}",
        batch_out="CASE WHEN b.batch_out <= instant THEN b.batch_out END",
    )
    return (
        f"CREATE MACRO {function}(instant) AS TABLE SELECT {shown} FROM {scan} b "  # noqa: S608 - made of quoted names and literals
        f"WHERE NOT b._hw_deleted AND {known.format('b')}"
    )


def _columns(columns: Sequence[str], **instead: str) -> str:
    own = [column for column in columns if not column.startswith(RESERVED_PREFIX)]
    return ", ".join(
        f"{instead[column]} AS {quoted(column)}" if column in instead else f"b.{quoted(column)}" for column in own
    )
