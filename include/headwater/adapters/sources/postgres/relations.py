"""Relations of a PostgreSQL database as the YAML names them: their columns and keys."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from headwater.adapters.sources.naming import check_history_names, check_names, check_relied_on, near_relations
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.domain.errors import SourceTableMissingError
from headwater.domain.spec import SqlExtract, TableSpec

Session = psycopg.Connection[tuple[Any, ...]]

_RELATIONS: LiteralString = """
SELECT n.nspname, c.relname, c.oid, c.reltuples::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""
_COLUMNS: LiteralString = """
SELECT a.attname,
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
            ELSE format_type(a.atttypid, a.atttypmod) END
       || coalesce((SELECT ' (' || string_agg(f.attname || ' ' || format_type(f.atttypid, f.atttypmod), ', '
                                              ORDER BY f.attnum) || ')'
                    FROM pg_attribute f JOIN pg_type c ON c.typrelid = f.attrelid
                    WHERE c.oid IN (t.oid, t.typelem) AND c.typtype = 'c' AND f.attnum > 0 AND NOT f.attisdropped), ''),
       coalesce(b.typcategory, t.typcategory) IN ('A', 'C'), a.attnotnull
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_PRIMARY_KEY: LiteralString = """
SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.place
"""


def relation_of(table: TableSpec) -> tuple[str, str]:
    """Schema and name of the relation a table is read from; ``public`` where none is given."""
    extract = table.extract
    relation = extract.relation if isinstance(extract, SqlExtract) and extract.relation else table.name
    schema, _, name = relation.partition(".")
    return (schema, name) if name else ("public", schema)


def columns_of(session: Session, table: TableSpec, connection: str) -> tuple[SourceColumn, ...]:
    """Columns of the table's relation, in order, with names checked.

    :raises SourceTableMissingError: when the relation does not exist.
    :raises SchemaDriftError: for names that cannot be carried, or when a column the YAML relies on is missing.
    """
    relation = relation_of(table)
    oid = _oid(session, relation, table, connection)
    columns = source_columns(session, oid)
    facts = {"table": table.name, "relation": ".".join(relation), "connection": connection}
    names = [column.name for column in columns]
    check_names(names, ".".join(relation), facts)
    check_history_names(names, table, ".".join(relation), facts)
    check_relied_on(table, names, facts)
    return columns


def primary_key_of(session: Session, table: TableSpec, connection: str) -> tuple[str, ...]:
    return primary_key(session, _oid(session, relation_of(table), table, connection))


def primary_key(session: Session, oid: int) -> tuple[str, ...]:
    """Columns of a relation's primary key, in its order."""
    return tuple(str(row[0]) for row in session.execute(_PRIMARY_KEY, (oid,)))


def probe(table: TableSpec) -> sql.Composed:
    """A query that fails exactly when the relation may not be read."""
    return sql.SQL("SELECT FROM {} LIMIT 0").format(sql.Identifier(*relation_of(table)))


def source_columns(session: Session, oid: int) -> tuple[SourceColumn, ...]:
    """Columns of a relation as the source has them, in order."""
    return tuple(SourceColumn(*row) for row in session.execute(_COLUMNS, (oid,)))


def _oid(session: Session, relation: tuple[str, str], table: TableSpec, connection: str) -> int:
    offered = session.execute(_RELATIONS).fetchall()
    for schema, name, oid, _ in offered:
        if (schema, name) == relation:
            return int(oid)
    partition = session.execute("SELECT to_regclass(format('%%I.%%I', %s::text, %s::text))::oid", relation).fetchone()
    if partition and partition[0] is not None:
        return int(partition[0])
    wanted, near = ".".join(relation), near_relations(relation[1], [(schema, name) for schema, name, _, _ in offered])
    raise SourceTableMissingError(
        f"{wanted} does not exist at the source",
        got=wanted,
        allowed=near or f"one of {len(offered)} relations, none with a similar name",
        remedy="Restore the relation, or name the new one in `extract: {relation: schema.table}`.",
        facts={"table": table.name, "relation": wanted, "connection": connection, "near": near},
    )
