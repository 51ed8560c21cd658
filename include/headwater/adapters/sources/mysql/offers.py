"""What a server offers to a new source: relations, keys, likely cursors, and what cannot be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.relations import SYSTEM
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.offering import cursor_candidates, problem_of_names
from headwater.domain.schema import TableSchema
from headwater.ports.extractor import SourceRelation

_OFFERED = f"""
SELECT table_schema, table_name, table_rows, table_comment FROM information_schema.tables
WHERE table_schema NOT IN {SYSTEM} ORDER BY 1, 2
"""  # noqa: S608 - made of constants
_COLUMNS = f"""
SELECT table_schema, table_name, column_name, data_type, column_type, is_nullable, collation_name
FROM information_schema.columns WHERE table_schema NOT IN {SYSTEM} ORDER BY table_schema, table_name, ordinal_position
"""  # noqa: S608 - as above
_KEYS = f"""
SELECT table_schema, table_name, index_name, column_name FROM information_schema.statistics
WHERE non_unique = 0 AND table_schema NOT IN {SYSTEM} AND column_name IS NOT NULL
ORDER BY table_schema, table_name, index_name = 'PRIMARY' DESC, index_name, seq_in_index
"""  # noqa: S608 - as above


def list_relations(session: Session) -> tuple[SourceRelation, ...]:
    """Every relation outside the system's databases, with its key and likely cursors, best first."""
    columns: dict[tuple[str, str], list[SourceColumn]] = defaultdict(list)
    for schema, name, column, kind, full, nullable, collation in session.all(_COLUMNS):
        columns[schema, name].append(SourceColumn(column, kind.lower(), full, nullable == "NO", collation))
    keys: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for schema, name, index, column in session.all(_KEYS):
        keys[schema, name][index].append(column)
    return tuple(_offer(row, columns[row[0], row[1]], keys[row[0], row[1]]) for row in session.all(_OFFERED))


def _offer(row: tuple[Any, ...], columns: Sequence[SourceColumn], keys: dict[str, list[str]]) -> SourceRelation:
    schema, name, rows, comment = row
    primary = tuple(keys.get("PRIMARY", ()))
    required = {column.name for column in columns if column.required}
    unique = sorted((tuple(key) for key in keys.values() if required.issuperset(key)), key=len)
    is_view = comment == "VIEW"
    return SourceRelation(
        relation=f"{schema}.{name}",
        primary_key=primary,
        unique_key=primary or (unique[0] if unique else ()),
        cursor_candidates=cursor_candidates([column.column() for column in columns], primary),
        estimated_rows=None if rows is None or is_view else int(rows),
        schema_=TableSchema(columns=tuple(column.column() for column in columns), primary_key=primary),
        comment=" ".join(comment.split()) if comment and not is_view else None,
        problem=_problem(schema, f"{schema}.{name}", columns),
    )


def _problem(schema: str, relation: str, columns: Sequence[SourceColumn]) -> str | None:
    """Why no run could carry the relation as it is."""
    if not columns:
        return "the login may not read it, or it is a view of what is gone"
    if "." in schema:
        return "the name of its database has a dot, which separates database and relation in the YAML"
    return problem_of_names([column.name for column in columns], relation)
