"""What a PostgreSQL database offers to a new source: relations, keys, likely cursors, and what cannot be read."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

from headwater.adapters.sources.offering import cursor_candidates, problem_of_names
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import CURSOR_TYPES
from headwater.adapters.sources.postgres.relations import primary_key, source_columns
from headwater.domain.schema import TableSchema
from headwater.ports.extractor import SourceRelation

Session = psycopg.Connection[tuple[Any, ...]]

_OFFERED: LiteralString = """
SELECT n.nspname, c.relname, c.oid, c.reltuples::bigint,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""
_UNIQUE_KEYS: LiteralString = """
SELECT array_agg(a.attname::text ORDER BY k.place) FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND a.attnum > 0
WHERE i.indrelid = %s AND i.indisunique AND NOT i.indisprimary AND i.indisvalid AND i.indpred IS NULL
  AND k.place <= i.indnkeyatts
GROUP BY i.indexrelid HAVING bool_and(coalesce(a.attnotnull, false)) ORDER BY count(*), i.indexrelid
"""


def list_relations(session: Session) -> tuple[SourceRelation, ...]:
    """Every relation outside the system schemas, with its key and likely cursors, best first."""
    return tuple(_offer(session, *row) for row in session.execute(_OFFERED).fetchall())


def _offer(
    session: Session, schema: str, name: str, oid: int, rows: int, readable: bool, comment: str | None
) -> SourceRelation:
    columns = source_columns(session, oid)
    key = primary_key(session, oid)
    unique = [tuple(row[0]) for row in session.execute(_UNIQUE_KEYS, (oid,))]
    described = TableSchema(columns=tuple(column.column() for column in columns), primary_key=key)
    fit = {column.name for column in columns if column.type in CURSOR_TYPES}
    return SourceRelation(
        relation=f"{schema}.{name}",
        primary_key=key,
        unique_key=key or (unique[0] if unique else ()),
        cursor_candidates=tuple(name for name in cursor_candidates(described.columns, key) if name in fit),
        estimated_rows=rows if rows >= 0 else None,
        schema_=described,
        comment=" ".join(comment.split()) if comment else None,
        problem=_problem(schema, f"{schema}.{name}", columns, readable),
    )


def _problem(schema: str, relation: str, columns: tuple[SourceColumn, ...], readable: bool) -> str | None:
    """Why no run could carry the relation as it is."""
    if not readable:
        return "the login may not read it"
    if not columns:
        return "it has no columns"
    if "." in schema:
        return "the name of its schema has a dot, which separates schema and relation in the YAML"
    return problem_of_names([column.name for column in columns], relation)
