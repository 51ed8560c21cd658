"""Pieces of Oracle's SQL."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier. Oracle lets none have a quote, so that one in a name ends in the server's own refusal."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string."""
    return "'" + text.replace("'", "''") + "'"
