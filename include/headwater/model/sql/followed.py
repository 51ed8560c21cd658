"""What of SQL can be followed from changed input rows to output rows at all (rule 38)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


class NotFollowedError(Exception):
    """Changed rows cannot be followed through this SQL; the message says why, in words."""


_REFUSED_CLAUSES = {
    "laterals": "LATERAL VIEW",
    "limit": "LIMIT",
    "offset": "OFFSET",
    "qualify": "QUALIFY",
    "pivots": "PIVOT",
    "windows": "a window",
    "with_": "a CTE inside a subquery",
}


def refuse_unfollowed(select: exp.Select) -> None:
    """:raises NotFollowedError: when output rows of the select depend on more than the rows that make them."""
    for clause, word in _REFUSED_CLAUSES.items():
        if select.args.get(clause):
            raise NotFollowedError(f"it has {word}")
    if select.args.get("from_") is None:
        raise NotFollowedError("a SELECT reads no table")
    _refuse_expressions(select)
    group = select.args.get("group")
    if group is not None and any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets", "all")):
        raise NotFollowedError("it groups by ROLLUP, CUBE, GROUPING SETS or ALL")
    if group is None and any(has_aggregate(item) for item in select.selects):
        raise NotFollowedError("it aggregates over everything")


def _refuse_expressions(select: exp.Select) -> None:
    from sqlglot import exp

    parts = [*select.expressions, *(select.args.get(key) for key in ("where", "having", "group"))]
    parts += [join.args.get("on") for join in select.args.get("joins") or ()]
    for part in filter(None, parts):
        window = part.find(exp.Window)
        if window is not None:
            raise NotFollowedError(f"it has a window function: {window.sql('spark')[:60]}")
        if part.find(exp.Query) is not None:
            raise NotFollowedError(f"it has a subquery in an expression: {part.sql('spark')[:60]}")


_UNKNOWN_AGGREGATES = frozenset(
    {"any", "every", "some", "mean", "std", "try_avg", "try_sum", "count_min_sketch", "histogram_numeric"}
    | {"hll_sketch_agg", "hll_union_agg", "schema_of_variant_agg", "bitmap_and_agg"}
)
"""Aggregates of Spark that sqlglot takes for any function."""


def has_aggregate(node: exp.Expr) -> bool:
    """Whether many rows become one value in ``node``."""
    from sqlglot import exp

    unknown = (found.name.lower() for found in node.find_all(exp.Anonymous))
    return node.find(exp.AggFunc, exp.Any) is not None or any(
        name in _UNKNOWN_AGGREGATES or "sketch" in name for name in unknown
    )


def written_out(tree: exp.Query) -> exp.Query:
    """CTEs become subqueries where they are read: two readers of one CTE see its changes at different times."""
    with_ = tree.args.get("with_")
    if with_ is None:
        return tree
    if with_.recursive:
        raise NotFollowedError("it has a recursive CTE")
    known: dict[str, exp.Expr] = {}
    for cte in with_.expressions:
        body = _replaced(written_out(cte.this), known)
        if cte.args["alias"].args.get("columns"):
            raise NotFollowedError("a CTE names its columns beside its name")
        known[cte.alias.lower()] = body
    with_.pop()
    return _replaced(tree, known)


def _replaced(tree: exp.Query, known: dict[str, exp.Expr]) -> exp.Query:
    from sqlglot import exp

    for table in list(tree.find_all(exp.Table)):
        body = known.get(table.name.lower()) if not table.db else None
        if body is not None:
            table.replace(
                exp.Subquery(this=body.copy(), alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            )
    return tree
