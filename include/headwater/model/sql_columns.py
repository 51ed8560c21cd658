"""Columns that a SQL file reads and that its inputs do not have, where the files tell what they have."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError
from headwater.model.known_columns import dotted_of, is_known
from headwater.model.sql_select import line_of, parse_select

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Schemas = Mapping[str, tuple[str, ...]]


def unknown_columns(sql: str, file: str, schemas: Schemas) -> Iterator[SpecError]:
    """One error per place that reads a column its table lacks.

    A column written without its table is judged only where every table it could come from is known, so that nothing
    right is ever refused; what remains open is judged by Spark in preflight.

    :param schemas: dotted table -> its columns.
    """
    from sqlglot.optimizer.scope import traverse_scope

    for scope in traverse_scope(parse_select(sql, file)):
        tables = _tables(scope)
        # columns of a subquery that it does not find in its own tables show up in the query around it, too
        for column in (found for found in scope.columns if found.parent_select is scope.expression):
            allowed = _allowed(column, scope, tables, schemas)
            if allowed is not None and not is_known(column.name, allowed):
                yield _unknown(column, file, allowed)


def _tables(scope: Scope) -> dict[str, str | None]:
    """Alias -> dotted table; None for whatever is no table of the lake: a CTE, a subquery, a lateral view."""
    from sqlglot import exp

    def table_of(source: object) -> str | None:
        if not isinstance(source, exp.Table) or source.args.get("pivots") or source.alias_column_names:
            return None
        return dotted_of(part.name for part in source.parts)

    return {alias: table_of(source) for alias, source in scope.sources.items()}


def _allowed(
    column: exp.Column, scope: Scope, tables: dict[str, str | None], schemas: Schemas
) -> tuple[str, ...] | None:
    """The columns one of which this must be, or None where that cannot be said."""
    from sqlglot import exp

    if isinstance(column.this, exp.Star):
        return None
    if column.table:
        # a name in front may also be a column of type struct: then it is no alias of this scope
        dotted = tables.get(column.table)
        return schemas.get(dotted) if dotted is not None else None
    query = scope.expression
    if scope.is_subquery or not isinstance(query, exp.Select) or column.find_ancestor(exp.Lambda) is not None:
        return None
    columns: list[str] = []
    for dotted in tables.values():
        if dotted is None or dotted not in schemas:
            return None
        columns += schemas[dotted]
    named = [select.alias for select in query.selects if select.alias]
    return (*columns, *named)


def _unknown(column: exp.Column, file: str, allowed: tuple[str, ...]) -> SpecError:
    near = difflib.get_close_matches(column.name.lower(), allowed, n=1)
    where = Location(file, line_of(column))
    remedy = f"did you mean {near[0]!r}?" if near else None
    names = ", ".join(allowed)
    return SpecError("the SQL reads a column its input does not have", where, column.sql("spark"), names, remedy)
