"""Pieces of SQL Server's SQL."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier."""
    return "[" + name.replace("]", "]]") + "]"


def literal(text: str) -> str:
    """A string, in Unicode."""
    return "N'" + text.replace("'", "''") + "'"
