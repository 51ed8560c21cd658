"""Which columns of a SELECT decide what rows there are, so that every output column depends on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headwater.model.sql.expressions import row_maker
from headwater.model.sql.followed import has_aggregate
from headwater.model.sql.scopes import EVERY, Asked

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def decides_rows(column: exp.Column, scope: Scope, outputs: set[str]) -> bool:
    """Whether a column that a scope reads itself decides its rows.

    :param outputs: output columns of the scope that do, as ``deciding_outputs`` and the queries around say.
    """
    from sqlglot import exp

    clauses = (exp.Where, exp.Join, exp.Group, exp.Having, exp.Qualify, exp.Lateral)
    # a subquery inside an expression decides what the expression does
    around = scope.expression.find_ancestor(exp.Select, *clauses) if scope.is_subquery else None
    if scope.is_udtf or isinstance(around, clauses):
        return True
    node: exp.Expr = column
    while node.parent is not None and node is not scope.expression:
        if isinstance(node, clauses) or (isinstance(node, exp.Order) and _is_cut(node.parent)):
            return True
        if node.parent is scope.expression and node.arg_key == "expressions":
            return bool({EVERY, node.alias_or_name.lower()} & outputs)
        node = node.parent
    return False


def deciding_outputs(scope: Scope) -> set[str]:
    """Output columns of a SELECT, in lower case, that decide its rows by what it says itself; ``*`` means all."""
    from sqlglot import exp

    query = scope.expression
    if isinstance(query, exp.SetOperation):
        return set() if isinstance(query, exp.Union) and not query.args.get("distinct") else {EVERY}
    if not isinstance(query, exp.Select):
        return set()
    if query.args.get("distinct"):
        return {EVERY}
    makers = {item.alias_or_name.lower() for item in query.selects if row_maker(item) is not None}
    return makers | set(_grouped(query)) | set(_named(query))


def asked_of_branches(operation: exp.SetOperation, outputs: set[str]) -> Asked:
    """The columns of both sides in the places of these output columns."""
    from sqlglot import exp

    names = [item.alias_or_name.lower() for item in operation.selects]
    places = [place for place, name in enumerate(names) if {EVERY, name} & outputs]
    found: Asked = set()
    for side in (operation.this, operation.expression):
        query = side.unnest() if isinstance(side, exp.Subquery) else side
        if EVERY in outputs or query.is_star:
            found |= {(id(query), name) for name in outputs}
        elif isinstance(query, exp.Query):
            found |= {(id(query), query.selects[place].alias_or_name.lower()) for place in places}
    return found


def _grouped(query: exp.Select) -> Iterator[str]:
    """Output columns that GROUP BY names by their place, or by ALL."""
    from sqlglot import exp

    group = query.args.get("group")
    if group is None:
        return
    if group.args.get("all"):
        yield from (item.alias_or_name.lower() for item in query.selects if not has_aggregate(item))
    for item in group.expressions:
        if isinstance(item, exp.Literal) and item.is_int and 0 < int(item.name) <= len(query.selects):
            yield query.selects[int(item.name) - 1].alias_or_name.lower()


def _named(query: exp.Select) -> Iterator[str]:
    """Output columns that a clause names by their alias."""
    from sqlglot import exp

    clauses = [query.args.get(name) for name in ("group", "having", "qualify")]
    clauses.append(query.args.get("order") if _is_cut(query) else None)
    read = (column for clause in clauses if clause is not None for column in clause.find_all(exp.Column))
    names = {item.alias.lower() for item in query.selects if item.alias}
    yield from (column.name.lower() for column in read if not column.table and column.name.lower() in names)


def _is_cut(query: exp.Expr | None) -> bool:
    return query is not None and bool(query.args.get("limit") or query.args.get("offset"))
