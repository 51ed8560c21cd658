"""Names of a source as statements that people are shown write them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A column, or a part of a relation's name."""
    return '"' + name.replace('"', '""') + '"'


def quoted_relation(relation: str) -> str:
    """``schema.table`` or ``table``: the first dot ends the schema, others belong to the table's name."""
    return ".".join(quoted(part) for part in relation.split(".", 1))
