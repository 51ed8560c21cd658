"""What each name of a SELECT can mean: the columns of its tables, CTEs and subqueries, as far as the files tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from headwater.model.sql.known_columns import dotted_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Schemas = Mapping[str, tuple[str, ...]]
Columns = tuple[str, ...] | None
"""Columns of one source of rows; None where nothing tells them."""
Asked = set[tuple[int, str]]
"""Output columns: the id of a query and a name in lower case, or ``EVERY``."""
EVERY = "*"
"""Stands for all columns of a query or table."""


def sources_of(scope: Scope, schemas: Schemas) -> dict[str, Columns]:
    """Lower-case alias -> columns, of everything the names of a scope may mean, the queries around it included."""
    found: dict[str, Columns] = {}
    for level in levels_of(scope):
        for alias, source in level.sources.items():
            found.setdefault(alias.lower(), _columns(source, schemas))
    return found


def outputs_of(query: exp.Expr) -> Columns:
    """Names of a query's output columns; None with a ``*`` or a column without a name."""
    from sqlglot import exp

    if not isinstance(query, exp.Query):
        return None
    names = tuple("" if select.is_star else select.alias_or_name for select in query.selects)
    return None if "" in names else names


def all_known(sources: Mapping[str, Columns]) -> Columns:
    """Columns of all sources together; None when one is not known."""
    together: list[str] = []
    for columns in sources.values():
        if columns is None:
            return None
        together += columns
    return tuple(together)


def levels_of(scope: Scope) -> Iterator[Scope]:
    """The scope, and those around it whose rows it may read: a subquery's and a lateral view's, not a CTE's."""
    current: Scope | None = scope
    while current is not None:
        yield current
        reaches_out = current.is_subquery or current.is_udtf or _is_lateral(current)
        current = current.parent if reaches_out else None


def is_own(column: exp.Column, scope: Scope) -> bool:
    """Whether the scope reads the column itself: those around a subquery find its columns, too."""
    return scope.is_udtf or column.parent_select in {scope.expression, None} or scope.is_union


def _is_lateral(scope: Scope) -> bool:
    from sqlglot import exp

    return scope.is_derived_table and scope.expression.find_ancestor(exp.Lateral) is not None


def _columns(source: object, schemas: Schemas) -> Columns:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

    if isinstance(source, exp.Table):
        if source.args.get("pivots") or source.alias_column_names:
            return None
        dotted = dotted_of(part.name for part in source.parts)
        return schemas.get(dotted) if dotted is not None else None
    if not isinstance(source, Scope) or source.is_udtf:
        return None
    around = source.expression.parent
    if isinstance(around, exp.Subquery | exp.CTE):
        if around.args.get("pivots"):
            return None
        if around.alias_column_names:
            return tuple(around.alias_column_names)
    return outputs_of(source.expression)
