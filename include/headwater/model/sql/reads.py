"""Every column a SELECT reads, in whatever clause: what a change of that column would reach."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

from headwater.domain.base import Value
from headwater.model.sql.deciding import asked_of_branches, decides_rows, deciding_outputs
from headwater.model.sql.known_columns import dotted_of, is_known
from headwater.model.sql.named_windows import with_windows_written_out
from headwater.model.sql.one_select import parse_select
from headwater.model.sql.scopes import EVERY, Asked, Schemas, is_own, levels_of, outputs_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


class ColumnRead(Value):
    """A column of a table of the lake that a query reads.

    :param column: its name; ``*`` for all columns of a table whose columns no file tells.
    :param decides_rows: it filters, joins, groups or makes rows, so that every output column depends on it.
    """

    table: str
    column: str
    decides_rows: bool


def columns_read(sql: str, schemas: Schemas) -> frozenset[ColumnRead]:
    """All of them. A column without its table is of every input that may have it.

    A column decides rows also where a SELECT around reads it to do so, over any number of CTEs and subqueries.

    :param schemas: dotted table -> its columns, where they are known.
    """
    from sqlglot.optimizer.scope import traverse_scope

    found: set[ColumnRead] = set()
    asked: Asked = set()
    # those around come first: what they ask of a SELECT is known when it is its turn
    for scope in reversed(list(traverse_scope(with_windows_written_out(parse_select(sql, "sql"))))):
        found |= set(_of_scope(scope, schemas, asked))
    return frozenset(found)


def _of_scope(scope: Scope, schemas: Schemas, asked: Asked) -> Iterator[ColumnRead]:
    """Reads of one scope.

    :param asked: output columns of queries that decide rows further up; what this one asks of others is added.
    """
    from sqlglot import exp

    outputs = deciding_outputs(scope) | {name for query, name in asked if query == id(scope.expression)}
    if isinstance(scope.expression, exp.SetOperation):
        asked |= asked_of_branches(scope.expression, outputs)
        return
    for column in scope.find_all(exp.Column):
        if is_own(column, scope) and not isinstance(column.this, exp.Star):
            yield from _meant(column, scope, schemas, asked, decides=decides_rows(column, scope, outputs))
    for select in getattr(scope.expression, "selects", ()):
        if select.is_star:
            of = select.table if isinstance(select, exp.Column) else ""
            yield from _all_of(of.lower(), scope, schemas, asked, outputs)
    names = [name.name for join in scope.expression.args.get("joins") or () for name in join.args.get("using") or ()]
    for name, source in product(names, scope.sources.values()):
        yield from _read(source, name, asked, decides=True)


def _meant(column: exp.Column, scope: Scope, schemas: Schemas, asked: Asked, *, decides: bool) -> Iterator[ColumnRead]:
    first, *rest = (part.name for part in column.parts)
    for level in levels_of(scope):
        own = {alias.lower(): source for alias, source in level.sources.items()}
        if rest and first.lower() in own:
            yield from _read(own[first.lower()], rest[0], asked, decides=decides)
            return
        for source in own.values():
            known = schemas.get(_dotted(source) or "")
            if known is None or is_known(first, known):
                yield from _read(source, first, asked, decides=decides)


def _read(source: object, name: str, asked: Asked, *, decides: bool) -> Iterator[ColumnRead]:
    """The column of one source of rows; of a query it is asked for where it decides rows."""
    from sqlglot.optimizer.scope import Scope

    dotted = _dotted(source)
    if dotted is not None:
        yield ColumnRead(table=dotted, column=name, decides_rows=decides)
    elif isinstance(source, Scope) and decides:
        names, around = outputs_of(source.expression), source.expression.parent
        renamed = [item.lower() for item in getattr(around, "alias_column_names", ())]
        if names is not None and name.lower() in renamed:
            name = names[renamed.index(name.lower())]
        asked.add((id(source.expression), name.lower()))


def _dotted(source: object) -> str | None:
    """The table of the lake that a source of rows is."""
    from sqlglot import exp

    return dotted_of(part.name for part in source.parts) if isinstance(source, exp.Table) else None


def _all_of(alias: str, scope: Scope, schemas: Schemas, asked: Asked, outputs: set[str]) -> Iterator[ColumnRead]:
    """What ``*``, or ``alias.*``, reads."""
    for name, source in scope.sources.items():
        if alias in {"", name.lower()}:
            for column in schemas.get(_dotted(source) or "", (EVERY,)):
                yield from _read(source, column, asked, decides=bool({EVERY, column.lower()} & outputs))
            for column in outputs:
                yield from _read(source, column, asked, decides=True)
