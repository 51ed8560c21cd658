"""What Oracle's dictionary says of relations, their columns and keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from headwater.adapters.sources.oracle.carrying import carried
from headwater.adapters.sources.oracle.sql import literal
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Offered, Relation, Session

_RELATIONS = """(
SELECT owner, table_name, num_rows FROM all_tables WHERE nested = 'NO' AND secondary = 'N' AND dropped = 'NO'
UNION ALL SELECT owner, view_name, NULL FROM all_views
) r JOIN all_users u ON u.username = r.owner AND u.oracle_maintained = 'N'"""
NAMES = f"SELECT r.owner, r.table_name FROM {_RELATIONS}"  # noqa: S608 - made of constants
# invisible columns are somebody's, hidden ones that the server made for itself are not
COLUMNS = """
SELECT c.owner, c.table_name, c.column_name, c.data_type, COALESCE(NULLIF(c.char_length, 0), c.data_length),
  c.data_precision, c.data_scale, c.nullable
FROM all_tab_cols c JOIN all_users u ON u.username = c.owner AND u.oracle_maintained = 'N'
WHERE c.user_generated = 'YES'{of}
ORDER BY c.owner, c.table_name, c.internal_column_id
"""
KEYS = """
SELECT c.owner, c.table_name, c.constraint_name, c.constraint_type, k.column_name
FROM all_constraints c JOIN all_users u ON u.username = c.owner AND u.oracle_maintained = 'N'
JOIN all_cons_columns k ON k.owner = c.owner AND k.constraint_name = c.constraint_name
WHERE c.constraint_type IN ('P', 'U') AND c.status = 'ENABLED'{of}
ORDER BY c.owner, c.table_name, c.constraint_type, c.constraint_name, k.position
"""
OFFERED = f"""
SELECT r.owner, r.table_name, r.num_rows, m.comments FROM {_RELATIONS}
LEFT JOIN all_tab_comments m ON m.owner = r.owner AND m.table_name = r.table_name
ORDER BY r.owner, r.table_name
"""  # noqa: S608 - as above


def is_of(relation: Relation) -> str:
    owner, name = map(literal, relation)
    return f" AND c.owner = {owner} AND c.table_name = {name}"


def names(session: Session) -> list[Relation]:
    return [(str(owner), str(name)) for owner, name in session.all(NAMES)]


def columns(session: Session, relation: Relation) -> tuple[QueriedColumn, ...]:
    return tuple(column for _, column in _columns(session, is_of(relation)))


def primary_key(session: Session, relation: Relation) -> tuple[str, ...]:
    return tuple(str(row[4]) for row in session.all(KEYS.format(of=is_of(relation) + " AND c.constraint_type = 'P'")))


def offers(session: Session) -> Iterator[Offered]:
    """Every relation that the login may see."""
    found: dict[Relation, list[QueriedColumn]] = defaultdict(list)
    for relation, column in _columns(session, ""):
        found[relation].append(column)
    keys: dict[Relation, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for owner, name, constraint, kind, column_name in session.all(KEYS.format(of="")):
        keys[str(owner), str(name)][str(kind), str(constraint)].append(str(column_name))
    for owner, name, rows, comment in session.all(OFFERED):
        relation = (str(owner), str(name))
        of_relation = keys[relation]
        yield Offered(
            relation=relation,
            columns=tuple(found[relation]),
            primary=next((tuple(key) for (kind, _), key in of_relation.items() if kind == "P"), ()),
            unique=tuple(tuple(key) for key in of_relation.values()),
            estimated_rows=None if rows is None else int(rows),
            comment=None if comment is None else str(comment),
        )


def _columns(session: Session, of: str) -> Iterator[tuple[Relation, QueriedColumn]]:
    for owner, name, column, kind, length, precision, scale, nullable in session.all(COLUMNS.format(of=of)):
        digits = None if precision is None else int(precision)
        places = None if scale is None else int(scale)
        yield (str(owner), str(name)), carried(str(column), str(kind), int(length), digits, places, nullable == "Y")
