"""Every column a SELECT reads, in whatever clause: what a change of that column would reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headwater.domain.base import Value
from headwater.model.sql.known_columns import dotted_of, is_known
from headwater.model.sql.one_select import parse_select
from headwater.model.sql.scopes import Schemas, levels_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


class ColumnRead(Value):
    """A column of a table of the lake that a query reads.

    :param decides_rows: it filters, joins or groups, so that every output column depends on it.
    """

    table: str
    column: str
    decides_rows: bool


def columns_read(sql: str, schemas: Schemas) -> frozenset[ColumnRead]:
    """All of them. A column without its table is of every input that may have it.

    :param schemas: dotted table -> its columns, where they are known.
    """
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    found: set[ColumnRead] = set()
    for scope in traverse_scope(parse_select(sql, "sql")):
        for column in scope.find_all(exp.Column):
            for table in _tables(column, scope, schemas):
                found.add(ColumnRead(table=table[0], column=table[1], decides_rows=_decides_rows(column)))
        found |= set(_using(scope))
    return frozenset(found)


def _tables(column: exp.Column, scope: Scope, schemas: Schemas) -> Iterator[tuple[str, str]]:
    from sqlglot import exp

    first, *rest = (part.name for part in column.parts)
    for level in levels_of(scope):
        tables = {
            alias.lower(): dotted
            for alias, source in level.sources.items()
            if isinstance(source, exp.Table)
            for dotted in [dotted_of(part.name for part in source.parts)]
            if dotted is not None
        }
        if rest and first.lower() in {alias.lower() for alias in level.sources}:
            if first.lower() in tables:
                yield tables[first.lower()], rest[0]
            return
        for dotted in tables.values():
            if dotted not in schemas or is_known(first, schemas[dotted]):
                yield dotted, first


def _decides_rows(column: exp.Column) -> bool:
    from sqlglot import exp

    return column.find_ancestor(exp.Where, exp.Join, exp.Group, exp.Having, exp.Qualify) is not None


def _using(scope: Scope) -> Iterator[ColumnRead]:
    from sqlglot import exp

    sources = [source for source in scope.sources.values() if isinstance(source, exp.Table)]
    names = [name.name for join in scope.expression.args.get("joins") or () for name in join.args.get("using") or ()]
    for source in sources if names else ():
        dotted = dotted_of(part.name for part in source.parts)
        if dotted is not None:
            yield from (ColumnRead(table=dotted, column=name, decides_rows=True) for name in names)
