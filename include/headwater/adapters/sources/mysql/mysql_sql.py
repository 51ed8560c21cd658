"""Pieces of MySQL's SQL, in the mode of a session whose ``sql_mode`` is empty."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier."""
    return "`" + name.replace("`", "``") + "`"


def dotted(relation: tuple[str, str]) -> str:
    """Database and relation, quoted."""
    return ".".join(map(quoted, relation))


def literal(text: str) -> str:
    """A string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def column(name: str) -> str:
    """A column of the relation called ``t``."""
    return f"t.{quoted(name)}"
