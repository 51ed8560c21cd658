"""Columns that a SQL file reads and that its inputs do not have, where the files tell what they have."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError
from headwater.model.sql.known_columns import is_known
from headwater.model.sql.one_select import line_of, parse_select
from headwater.model.sql.scopes import Columns, Schemas, all_known, is_own, outputs_of, sources_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def unknown_columns(sql: str, file: str, schemas: Schemas) -> Iterator[SpecError]:
    """One error per place, in whatever clause, that reads a column its table, CTE or subquery lacks.

    A name is judged only where everything it could come from is known, so that nothing right is ever refused; what
    remains open is judged by Spark in preflight.

    :param schemas: dotted table -> its columns.
    """
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    judged: set[int] = set()
    for scope in traverse_scope(parse_select(sql, file)):
        sources = sources_of(scope, schemas)
        for column in scope.find_all(exp.Column):
            if id(column) in judged or not is_own(column, scope):
                continue
            judged.add(id(column))
            name, allowed = _meaning(column, scope, sources)
            if allowed is not None and not is_known(name, allowed):
                yield _unknown(column, file, allowed)
        yield from _using(scope, file, sources)


def _meaning(column: exp.Column, scope: Scope, sources: dict[str, Columns]) -> tuple[str, Columns]:
    """The name to look for, and the names one of which it must be, or None where that cannot be said."""
    from sqlglot import exp

    first, *rest = (part.name for part in column.parts)
    if isinstance(column.this, exp.Star) or column.find_ancestor(exp.Lambda) is not None:
        return first, None
    if rest and first.lower() in sources:
        return rest[0], sources[first.lower()]
    if isinstance(scope.expression, exp.SetOperation):
        return first, outputs_of(scope.expression)
    known = all_known(sources)
    if known is None:
        return first, None
    # the name in front may be a column of type struct; the name of an output column may be used further down
    named = [select.alias for select in getattr(scope.expression, "selects", ()) if select.alias]
    around = column.parent_select
    named += [select.alias for select in around.selects if select.alias] if around is not None else []
    return first, (*known, *named, *(sources if rest else ()))


def _using(scope: Scope, file: str, sources: dict[str, Columns]) -> Iterator[SpecError]:
    for join in scope.expression.args.get("joins") or ():
        allowed = sources.get(join.alias_or_name.lower())
        for name in join.args.get("using") or ():
            if allowed is not None and not is_known(name.name, allowed):
                yield _unknown(name, file, allowed)


def _unknown(column: exp.Expr, file: str, allowed: tuple[str, ...]) -> SpecError:
    near = difflib.get_close_matches(column.name.lower(), allowed, n=1)
    where = Location(file, line_of(column))
    remedy = f"did you mean {near[0]!r}?" if near else None
    names = ", ".join(dict.fromkeys(allowed))
    return SpecError("the SQL reads a column its input does not have", where, column.sql("spark"), names, remedy)
