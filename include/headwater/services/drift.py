"""What a source's columns may become before a gate has seen them (rule 14)."""

from __future__ import annotations

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import RESERVED_PREFIX, TableName
from headwater.domain.schema import Column, TableSchema

WIDENINGS = frozenset({("int", "long"), ("float", "double")})
"""Iceberg's safe promotions; decimal(p,s) -> decimal(P,s) with P > p is the other one."""


class Evolution(Value):
    """Changes to make before staging: nullable columns to add, types to widen."""

    add: tuple[Column, ...] = ()
    widen: dict[str, str] = Field(default_factory=dict)


def is_widening(live: str, source: str) -> bool:
    """Whether ``source`` holds every value of ``live`` in Iceberg's eyes."""
    if (live, source) in WIDENINGS:
        return True
    if not (live.startswith("decimal(") and source.startswith("decimal(")):
        return False
    (live_p, live_s), (source_p, source_s) = _decimal(live), _decimal(source)
    return source_s == live_s and source_p > live_p


def _decimal(text: str) -> tuple[int, int]:
    precision, scale = text.removeprefix("decimal(").removesuffix(")").split(",")
    return int(precision), int(scale)


def reconcile(table: TableName, live: TableSchema, source: TableSchema, policy: str, relation: str) -> Evolution:
    """Compare the live bronze columns with the source's, under the table's ``drift`` policy.

    A live type wider than the source's stays: the source narrowed what the table can still hold.

    :raises SchemaDriftError: naming the column, what it was, what it is, and the statement that takes it back.
    """
    live_columns = tuple(column for column in live.columns if not column.name.startswith(RESERVED_PREFIX))
    add: list[Column] = []
    widen: dict[str, str] = {}
    for column in live_columns:
        if source.column(column.name) is None:
            raise _vanished(table, column, source, live, relation)
    for column in source.columns:
        known = live.column(column.name)
        if known is None:
            if policy != "evolve":
                raise _appeared(table, column, relation)
            add.append(column.model_copy(update={"required": False, "field_id": None}))
        elif known.type != column.type and not is_widening(column.type, known.type):
            if policy != "evolve" or not is_widening(known.type, column.type):
                raise _retyped(table, known, column, relation)
            widen[column.name] = column.type
    return Evolution(add=tuple(add), widen=widen)


def _facts(table: TableName, column: str, change: str, relation: str) -> dict[str, str]:
    return {"table": table.dotted, "column": column, "change": change, "relation": relation}


def _vanished(
    table: TableName, column: Column, source: TableSchema, live: TableSchema, relation: str
) -> SchemaDriftError:
    new = [c for c in source.columns if live.column(c.name) is None and c.type == column.type]
    facts = _facts(table, column.name, "vanished", relation)
    renamed = ""
    if len(new) == 1:
        facts["new_column"] = new[0].name
        facts["fix_sql"] = f"ALTER TABLE {relation} RENAME COLUMN {_quoted(new[0].name)} TO {_quoted(column.name)}"
        renamed = f"; {new[0].name} of the same type is new there, so it was probably renamed"
    return SchemaDriftError(
        f"column {column.name} of {table} is gone from {relation}{renamed}",
        got="columns " + ", ".join(source.names),
        allowed=f"{column.name} {column.type}",
        remedy="Bring the column back under its name, or declare the change in the YAML.",
        facts=facts,
    )


def _appeared(table: TableName, column: Column, relation: str) -> SchemaDriftError:
    facts = _facts(table, column.name, f"appeared with type {column.source_type or column.type}", relation)
    return SchemaDriftError(
        f"column {column.name} ({column.type}) is new in {relation}, and {table} is declared `drift: stop`",
        got=column.name,
        allowed="the columns the table has, or `drift: evolve` in the YAML to take new nullable columns",
        remedy=f"Set `drift: evolve` on the table in the YAML, or drop the column from {relation}.",
        facts=facts,
    )


def _retyped(table: TableName, live: Column, source: Column, relation: str) -> SchemaDriftError:
    got = source.source_type or source.type
    facts = _facts(table, live.name, f"changed from {live.type} to {got}", relation)
    facts["fix_sql"] = (
        f"ALTER TABLE {relation} ALTER COLUMN {_quoted(live.name)} TYPE {_sql_type(live.type)} "
        f"USING {_quoted(live.name)}::{_sql_type(live.type)}"
    )
    return SchemaDriftError(
        f"column {live.name} of {relation} is now {got}, but {table} holds {live.type}",
        got=got,
        allowed=f"{live.type}, or a wider type of the same family with `drift: evolve`",
        remedy="Take the type back at the source, or rebuild the table with the new type.",
        facts=facts,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sql_type(iceberg: str) -> str:
    names = {"int": "integer", "long": "bigint", "float": "real", "double": "double precision", "string": "text",
             "binary": "bytea", "decimal": "numeric"}  # fmt: skip
    return iceberg.replace("decimal", "numeric") if iceberg.startswith("decimal") else names.get(iceberg, iceberg)
