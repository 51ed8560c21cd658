"""Partitions of a relation: what their rows' cursors are, and how one leaves it as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.ports.offloading import Partition

Session = psycopg.Connection[tuple[Any, ...]]

_LEAVES: LiteralString = """
SELECT n.nspname, c.relname, pn.nspname, p.relname
FROM pg_partition_tree(format('%%I.%%I', %s::text, %s::text)::regclass) AS tree
JOIN pg_class c ON c.oid = tree.relid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = tree.parentrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE tree.isleaf AND tree.level > 0 ORDER BY 1, 2
"""
_DETACH = """DO $purge$ DECLARE held bigint; changed bigint; BEGIN
  LOCK TABLE {name} IN SHARE MODE;
  SELECT count(*), count(*) FILTER (WHERE NOT coalesce({cursor} < {before}, false)) INTO held, changed FROM {name} AS t;
  IF held <> {rows} OR changed > 0 THEN
    RAISE EXCEPTION 'nothing was detached: % rows instead of {rows}, % of them changed since', held, changed;
  END IF;
  ALTER TABLE {parent} DETACH PARTITION {name};
END $purge$;"""
"""Looked at first: a row that was written since is not verified, nor perhaps in the lake. Only writers of the partition
wait for that, and everybody for a moment when it is detached."""


def partitions_of(
    session: Session, relation: tuple[str, str], cursor: Cursor, before: str, ordinal: sql.Composable
) -> Iterator[Partition]:
    """The partitions that hold rows below a bound; none of a relation that has no partitions.

    :param ordinal: a cursor in the terms of ``PrintedRow.cursor``.
    """
    for schema, name, parent_schema, parent in session.execute(_LEAVES, relation).fetchall():
        leaf = sql.Identifier(schema, name)
        is_old = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} AS t WHERE {} < {})").format(
            leaf, cursor.name, cursor.value(before)
        )
        if session.execute(is_old).fetchall() != [(True,)]:
            continue
        query = sql.SQL("SELECT count(*), count({0}), min({0}), max({0}) FROM {1} AS t").format(ordinal, leaf)
        [(rows, placed, first, last)] = session.execute(query).fetchall()
        statement = sql.SQL(_DETACH).format(
            parent=sql.Identifier(parent_schema, parent),
            name=leaf,
            rows=rows,
            cursor=cursor.name,
            before=cursor.value(before),
        )
        yield Partition(
            name=f"{schema}.{name}",
            rows=rows,
            placed=placed,
            first=first,
            last=last,
            detach=statement.as_string(session),
            drop=sql.SQL("DROP TABLE {};").format(leaf).as_string(session),
        )
