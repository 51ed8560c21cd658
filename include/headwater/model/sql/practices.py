"""Places of a SQL file that are allowed and yet likely to give wrong numbers, sooner or later."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from headwater.model.sql.known_columns import dotted_of
from headwater.model.sql.named_windows import with_windows_written_out
from headwater.model.sql.one_select import line_of, parse_select

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

SqlPractice = Literal["select_star", "cross_join", "non_deterministic", "unbounded_history"]
Place = tuple[SqlPractice, int | None, str]
"""Practice, line, and the piece of SQL."""

_BEFORE_A_STAR = frozenset({"SELECT", "COMMA", "DOT", "DISTINCT", "ALL"})
_PICK = frozenset(
    {"first", "first_value", "last", "last_value", "any_value", "nth_value", "lead", "lag", "row_number", "ntile"}
)
_GATHER = frozenset({"collect_list", "collect_set", "array_agg", "listagg", "string_agg", "mode"})
_BELIEVED = frozenset({"is_current", "batch_in", "batch_out"})
"""A condition on one of these chooses among beliefs; one on the interval alone takes corrected ones, too."""
_ORDERED_BY_CHANCE = _PICK | _GATHER
"""Functions whose answer depends on the order of the rows, unless an ORDER BY gives one."""


def sql_practices(sql: str, file: str, histories: Collection[str]) -> Iterator[Place]:
    """Every such place, in no order.

    :param histories: dotted tables of mode scd2, which hold every version of a key.
    """
    from sqlglot.optimizer.scope import traverse_scope

    tree = with_windows_written_out(parse_select(sql, file))
    yield from _stars(sql)
    yield from _cross_joins(tree)
    yield from _by_chance(tree)
    for scope in traverse_scope(tree):
        yield from _histories(scope, histories)


def _stars(sql: str) -> Iterator[Place]:
    import sqlglot

    tokens = sqlglot.tokenize(sql, read="spark")
    for called, (before, token) in zip(["", *(token.text for token in tokens)], pairwise(tokens), strict=False):
        taken = before.token_type.name in _BEFORE_A_STAR
        # of all columns a count alone takes none
        taken = taken or (before.token_type.name == "L_PAREN" and called.lower() != "count")
        if token.token_type.name == "STAR" and taken:
            yield "select_star", token.line, {".": ".*", "(": f"{called}(*)"}.get(before.text, f"{before.text} *")


def _cross_joins(tree: exp.Query) -> Iterator[Place]:
    from sqlglot import exp

    for join in tree.find_all(exp.Join):
        if isinstance(join.this, exp.Lateral | exp.Unnest | exp.Values) or join.args.get("using") or join.method:
            continue
        select = join.find_ancestor(exp.Select)
        # tables with a comma between them are tied in the WHERE
        condition = join.args.get("on") or (select.args.get("where") if select is not None else None)
        if condition is None or not _ties(condition, join):
            yield "cross_join", line_of(join), join.sql("spark")[:80]


def _ties(condition: exp.Expr, join: exp.Join) -> bool:
    """Whether a condition compares the joined table with another; columns without a table are given the benefit."""
    from sqlglot import exp

    alias = join.alias_or_name.lower()
    whole = condition.this if isinstance(condition, exp.Where) else condition
    for part in whole.flatten() if isinstance(whole, exp.And) else (whole,):
        tables = {column.table.lower() for column in part.find_all(exp.Column)}
        if "" in tables or (alias in tables and len(tables) > 1):
            return True
    return False


def _by_chance(tree: exp.Query) -> Iterator[Place]:
    from sqlglot import exp

    # AND and OR count as functions; written out for each link of a long chain, they would take minutes
    for node in (node for node in tree.find_all(exp.Func) if not isinstance(node, exp.Connector)):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        written = node.sql("spark").split("(", 1)[0].lower()
        if (name in _ORDERED_BY_CHANCE or written in _ORDERED_BY_CHANCE) and not _is_ordered(node):
            yield "non_deterministic", line_of(node), node.sql("spark")[:80]
    for cut in tree.find_all(exp.Query):
        bound = cut.args.get("limit") or cut.args.get("offset")
        if bound is not None and not cut.args.get("order"):
            yield "non_deterministic", line_of(cut), bound.sql("spark").strip()[:80]
    for window in tree.find_all(exp.Window):
        if not window.args.get("order") and _counts_rows(window.args.get("spec")):
            yield "non_deterministic", line_of(window), window.sql("spark")[:80]


def _counts_rows(frame: exp.Expr | None) -> bool:
    """Whether a frame takes some rows of its partition by how they follow each other, not all of them."""
    if frame is None or frame.args.get("kind") != "ROWS":
        return False
    return not (frame.args.get("start") == frame.args.get("end") == "UNBOUNDED")


def _is_ordered(function: exp.Func) -> bool:
    from sqlglot import exp

    if function.find(exp.Order) is not None or function.args.get("deterministic"):
        return True
    parent = function.parent
    while isinstance(parent, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        parent = parent.parent
    if isinstance(parent, exp.WithinGroup | exp.SortArray | exp.ArraySort):
        return True
    return isinstance(parent, exp.Window) and bool(parent.args.get("order"))


def _histories(scope: Scope, histories: Collection[str]) -> Iterator[Place]:
    from sqlglot import exp

    found = {
        alias: source
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table) and dotted_of(part.name for part in source.parts) in histories
    }
    bounded = {column.table.lower() for column in _condition_columns(scope) if column.name.lower() in _BELIEVED}
    for alias, table in found.items():
        # a column without its table bounds the only history there is
        if alias.lower() not in bounded and not ("" in bounded and len(found) == 1):
            yield "unbounded_history", line_of(table), dotted_of(part.name for part in table.parts) or alias


def _condition_columns(scope: Scope) -> Iterator[exp.Column]:
    from sqlglot import exp

    query = scope.expression
    conditions = [query.args.get(name) for name in ("where", "having", "qualify")]
    conditions += [join.args.get("on") for join in query.args.get("joins") or ()]
    for condition in conditions:
        if condition is not None:
            yield from condition.find_all(exp.Column)
