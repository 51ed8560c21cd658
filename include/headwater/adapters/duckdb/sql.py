"""Pieces of DuckDB's SQL."""

from __future__ import annotations

_TYPES = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "string": "VARCHAR",
    "binary": "BLOB",
    "uuid": "UUID",
}


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def constant(text: str) -> str:
    """An SQL string that is the same in every row: written as one entry of a dictionary, never hashed per row."""
    return f"{literal(text)}::ENUM({literal(text)})"


def duckdb_type(iceberg: str) -> str:
    """DuckDB's name of an Iceberg type."""
    return _TYPES.get(iceberg, iceberg.upper())
