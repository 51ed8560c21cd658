"""What SQL Server's catalogue says of relations, their columns and keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Offered, Relation, Session
from headwater.adapters.sources.sqlserver.carrying import carried
from headwater.adapters.sources.sqlserver.sql import literal

NAMES = """
SELECT s.name, o.name FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0
"""
# an alias of a type is the type it is made of; types of programs (240) have no other
COLUMNS = """
SELECT s.name, o.name, c.name,
  COALESCE(TYPE_NAME(NULLIF(c.system_type_id, 240)), TYPE_NAME(c.user_type_id)),
  c.max_length, c.precision, c.scale, c.is_nullable
FROM sys.columns c JOIN sys.objects o ON o.object_id = c.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0{of}
ORDER BY s.name, o.name, c.column_id
"""
KEYS = """
SELECT s.name, o.name, i.index_id, i.is_primary_key, c.name
FROM sys.indexes i JOIN sys.objects o ON o.object_id = i.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id AND ic.is_included_column = 0
JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
WHERE i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND o.is_ms_shipped = 0{of}
ORDER BY s.name, o.name, i.is_primary_key DESC, i.index_id, ic.key_ordinal
"""
OFFERED = """
SELECT s.name, o.name, (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id < 2),
  CONVERT(nvarchar(4000), e.value)
FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
LEFT JOIN sys.extended_properties e
  ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = 'MS_Description'
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 ORDER BY s.name, o.name
"""


def is_of(relation: Relation) -> str:
    """By bytes: the catalogue's collation may not mind case."""
    schema, name = (f"{literal(part)} COLLATE Latin1_General_BIN2" for part in relation)
    return f" AND s.name = {schema} AND o.name = {name}"


def names(session: Session) -> list[Relation]:
    return [(str(schema), str(name)) for schema, name in session.all(NAMES)]


def columns(session: Session, relation: Relation) -> tuple[QueriedColumn, ...]:
    return tuple(column for _, column in _columns(session, is_of(relation)))


def primary_key(session: Session, relation: Relation) -> tuple[str, ...]:
    return tuple(str(row[4]) for row in session.all(KEYS.format(of=is_of(relation) + " AND i.is_primary_key = 1")))


def offers(session: Session) -> Iterator[Offered]:
    """Every relation that the login may see."""
    found: dict[Relation, list[QueriedColumn]] = defaultdict(list)
    for relation, column in _columns(session, ""):
        found[relation].append(column)
    keys: dict[Relation, dict[tuple[bool, int], list[str]]] = defaultdict(lambda: defaultdict(list))
    for schema, name, index, primary, column_name in session.all(KEYS.format(of="")):
        keys[str(schema), str(name)][bool(primary), int(index)].append(str(column_name))
    for schema, name, rows, comment in session.all(OFFERED):
        relation = (str(schema), str(name))
        of_relation = keys[relation]
        yield Offered(
            relation=relation,
            columns=tuple(found[relation]),
            primary=next((tuple(key) for (primary, _), key in of_relation.items() if primary), ()),
            unique=tuple(tuple(key) for key in of_relation.values()),
            estimated_rows=None if rows is None else int(rows),
            comment=None if comment is None else str(comment),
        )


def _columns(session: Session, of: str) -> Iterator[tuple[Relation, QueriedColumn]]:
    for schema, name, column, kind, length, precision, scale, nullable in session.all(COLUMNS.format(of=of)):
        made = carried(str(column), str(kind).lower(), int(length), int(precision), int(scale), bool(nullable))
        yield (str(schema), str(name)), made
