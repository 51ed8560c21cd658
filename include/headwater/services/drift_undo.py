"""Statements of PostgreSQL that take a change of a source's columns back."""

from __future__ import annotations

from headwater.services.source_names import quoted, quoted_relation

_TYPES = {
    "int": "integer", "long": "bigint", "float": "real", "double": "double precision", "string": "text",
    "binary": "bytea",
}  # fmt: skip


def rename_back(relation: str, now: str, before: str) -> str:
    """A renamed column gets its old name."""
    return f"ALTER TABLE {quoted_relation(relation)} RENAME COLUMN {quoted(now)} TO {quoted(before)};"


def retype_back(relation: str, column: str, before: str, now: str) -> str | None:
    """A column gets the type back that the live table holds; None where the cast would round or cut values silently.

    :param before: the Iceberg type of the live column; ``now`` that of the source's.
    """
    whole_number = now in {"int", "long"} and before not in {"int", "long", "float", "boolean"}
    if now != "string" and not whole_number:
        return None
    kind = _TYPES.get(before, before.replace("decimal", "numeric"))
    name = quoted(column)
    return f"ALTER TABLE {quoted_relation(relation)} ALTER COLUMN {name} TYPE {kind} USING {name}::{kind};"
