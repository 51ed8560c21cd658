"""SQL whose subqueries name the rows around them, written so that lineage finds what those names mean.

sqlglot follows a column into the tables of its own SELECT only. What a correlated subquery or a ``LATERAL`` one names
of the tables around it was lost, and what it filters by was taken instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

Sources = dict[str, "exp.Expr"]
"""Alias -> table, subquery or CTE as it stands in a FROM."""


def with_sources_of_outer_rows(tree: exp.Query) -> exp.Query:
    """The query with each table that a subquery's columns are made of joined into that subquery, under its alias there.

    It gives other rows, and each output column is made of the same columns as before.

    :param tree: with every column written with its table.
    """
    found = tree.copy()
    _in_query(found, {})
    return found


def _in_query(query: exp.Expr, around: Mapping[str, exp.Expr]) -> None:
    from sqlglot import exp

    for cte in query.args["with_"].expressions if query.args.get("with_") else ():
        _in_query(cte.this, {})
    if isinstance(query, exp.SetOperation):
        _in_query(query.left, around)
        _in_query(query.right, around)
    elif isinstance(query, exp.Subquery):
        _in_query(query.this, around)
    elif isinstance(query, exp.Select):
        own = _sources(query, around)
        for inner in _queries_of(query, own):
            _in_query(inner, {**around, **own})
        for name in _named_of_outer(query, own, around):
            if query.args.get("from_") is None:
                query.from_(around[name].copy(), copy=False)
            else:
                query.join(around[name].copy(), join_type="cross", copy=False)


def _sources(select: exp.Select, around: Mapping[str, exp.Expr]) -> Sources:
    """The sources of one SELECT; a ``LATERAL`` subquery reads those before it, and becomes one without the word."""
    from sqlglot import exp

    own: Sources = {}
    from_ = select.args.get("from_")
    for holder in (*((from_,) if from_ is not None else ()), *select.args.get("joins", ())):
        source = holder.this
        if isinstance(source, exp.Lateral) and isinstance(source.this, exp.Subquery):
            plain = exp.Subquery(this=source.this.this, alias=source.args.get("alias"))
            source.replace(plain)
            _in_query(plain, {**around, **own})
            source = plain
        elif isinstance(source, exp.Subquery):
            _in_query(source, around)
        if isinstance(source, exp.Subquery | exp.Table):
            own[source.alias_or_name] = source
    return own


def _queries_of(select: exp.Select, own: Sources) -> list[exp.Expr]:
    """Queries in the expressions of a SELECT, outermost only; its sources are none of them."""
    from sqlglot import exp

    taken = {id(source.this) for source in own.values() if isinstance(source, exp.Subquery)}
    return [query for query in select.find_all(exp.Query) if query.parent_select is select and id(query) not in taken]


def _named_of_outer(select: exp.Select, own: Sources, around: Mapping[str, exp.Expr]) -> list[str]:
    from sqlglot import exp

    columns = (column for item in select.selects for column in item.find_all(exp.Column))
    named = (column.table for column in columns if column.parent_select is select)
    return [name for name in dict.fromkeys(named) if name in around and name not in own]
