"""Single Spark SQL expressions in YAML and contracts: what a column becomes, or which rows break a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.model.patterns import pattern_fault
from headwater.model.sql.casts import cast_fault
from headwater.model.sql.words import NESTED_TOO_DEEP, nesting_fault, unsteady_words

if TYPE_CHECKING:
    from sqlglot import exp

_ROW_MAKERS = frozenset({"stack", "inline", "inline_outer", "posexplode", "posexplode_outer", "json_tuple"})


def expression_fault(text: str) -> str | None:
    """Why ``text`` is not one expression over the columns of one row; None when it is."""
    import sqlglot
    from sqlglot import errors, exp

    try:
        tokens = sqlglot.tokenize(text, read="spark")
        ill = nesting_fault(tokens)
        if ill is not None:
            return ill[0]
        tree = parse_expression(text)
    except RecursionError:
        return NESTED_TOO_DEEP
    except errors.SqlglotError as error:
        details = (getattr(error, "errors", None) or [{}])[0]
        return f"this is not valid Spark SQL: {details.get('description') or str(error).splitlines()[0][:120]}"
    unsteady = next(unsteady_words(tokens, text, ""), None)
    if unsteady is not None:
        return unsteady.message
    if any(token.comments for token in tokens):
        return "comments are refused in an expression"
    refused = (exp.AggFunc, exp.Window, exp.Query, exp.Subquery, exp.Star, exp.Parameter, exp.Placeholder, exp.Alias)
    found = tree.find(*refused) or row_maker(tree)
    alien = None if found is None else f"{found.sql('spark')[:60]} does not belong to one row"
    return alien or cast_fault(tree) or _pattern_fault(tree)


def _pattern_fault(tree: exp.Expr) -> str | None:
    """A written pattern of ``rlike`` that does not compile."""
    from sqlglot import exp

    written = (node.expression for node in tree.find_all(exp.RegexpLike))
    patterns = (node.name for node in written if isinstance(node, exp.Literal) and node.is_string)
    return next((fault for fault in map(pattern_fault, patterns) if fault is not None), None)


def row_maker(tree: exp.Expr) -> exp.Expr | None:
    """A function in ``tree`` that makes several rows of one, or None."""
    from sqlglot import exp

    named = (node for node in tree.find_all(exp.Anonymous) if node.name.lower() in _ROW_MAKERS)
    return tree.find(exp.UDTF, exp.Explode, exp.Inline) or next(named, None)


def columns_of(text: str) -> tuple[str, ...]:
    """Names of the columns an expression reads, in order of first appearance; of ``a.b`` the column is ``a``."""
    from sqlglot import exp

    return tuple(
        dict.fromkeys(column.parts[0].name for column in parse_expression(text).find_all(exp.Column, bfs=False))
    )


def parse_expression(text: str) -> exp.Expr:
    """The tree of one expression. :raises sqlglot.errors.SqlglotError: when it is none, or more than one."""
    import sqlglot
    from sqlglot import errors, exp

    tree = sqlglot.parse_one(f"SELECT {text}", read="spark")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or len([v for v in tree.args.values() if v]) != 1:
        raise errors.ParseError("one expression is expected")
    expression: exp.Expr = tree.expressions[0]
    return expression
