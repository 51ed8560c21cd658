"""The canonical text of a value (``headwater.domain.canonical_text``), written by PostgreSQL.

The session has to be in UTC, with ``DateStyle=ISO``, as every session of ours is.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.splitting import carried_expression
from headwater.domain.canonical_text import NULL, is_textual
from headwater.domain.spec import SqlExtract

_ARGUMENTS = 90
"""A function of PostgreSQL takes a hundred at most."""


def canonical(column: SourceColumn, extract: SqlExtract) -> sql.Composable:
    """The value's text; NULL stays NULL."""
    value = carried_expression(column, extract)
    if column.type in {"float", "double"}:
        # adding zero makes 0.0 of -0.0
        bits = sql.SQL("('x' || encode(float8send(({})::float8 + 0), 'hex'))::bit(64)::bigint::text")
        return bits.format(value)
    if column.type == "binary":
        return sql.SQL("encode({}, 'hex')").format(value)
    if column.type.startswith("decimal"):
        # NaN was turned away before; a numeric keeps the scale of its column
        return sql.SQL("({})::text").format(value)
    return value if column.type == "string" else sql.SQL("({})::text").format(value)


def expression(column: SourceColumn, extract: SqlExtract) -> sql.Composable:
    """The value's text as it stands in a row's: with its length or the separator, NULL told apart."""
    text = canonical(column, extract)
    if is_textual(column.type):
        return sql.SQL("coalesce(length({0}) || ':' || {0}, {1})").format(text, sql.Literal(NULL))
    return sql.SQL("coalesce({}, {}) || '|'").format(text, sql.Literal(NULL))


def joined(pieces: Sequence[sql.Composable]) -> sql.Composable:
    """Texts, none NULL, one after the other."""
    parts: list[sql.Composable] = list(pieces)
    while len(parts) > 1:
        chunks = (parts[first : first + _ARGUMENTS] for first in range(0, len(parts), _ARGUMENTS))
        parts = [sql.SQL("concat({})").format(sql.SQL(", ").join(chunk)) for chunk in chunks]
    return parts[0]


def hashed(text: sql.Composable, *, as_it_is: bool) -> sql.Composed:
    """md5 over the text's UTF-8. :param as_it_is: whether the database keeps its texts so."""
    return sql.SQL("md5({})" if as_it_is else "md5(convert_to({}, 'UTF8'))").format(text)


def typed_key(column: SourceColumn) -> tuple[sql.Composable, sql.Composable]:
    """A key column to compare, and the type its canonical text is cast to: by an index where the text leads back."""
    if column.nested or column.source_type == "money":
        return column.expression(), sql.SQL("text")
    return sql.Identifier("t", column.name), sql.SQL(column.source_type)
