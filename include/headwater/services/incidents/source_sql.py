"""Names as the SQL of a source's own kind of database writes them."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.domain.lineage import SourcePlace

_DIALECTS = {"mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite", "mssql": "tsql", "oracle": "oracle"}
"""sqlglot's dialect by data platform; of any other, and where nobody knows it, PostgreSQL's."""


def dialect_of(place: SourcePlace | None) -> str:
    """The SQL spoken at a place, by sqlglot's name."""
    return _DIALECTS.get(place.platform if place is not None else "", "postgres")


def name_in(dialect: str, parts: Iterable[str]) -> str:
    """A name of several parts, each quoted, whatever it holds."""
    from sqlglot import exp

    return ".".join(exp.to_identifier(part, quoted=True).sql(dialect=dialect) for part in parts)
