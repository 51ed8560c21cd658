"""The tree of a SQL file: exactly one SELECT in Spark's dialect, and the names of its output columns (rule 37)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import RESERVED_COLUMNS, RESERVED_PREFIX
from headwater.model.sql.words import NESTED_TOO_DEEP, nesting_fault, unsteady_words

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

_PARAMETER = "planned_at"


def parse_select(text: str, file: str) -> exp.Query:
    """The tree of exactly one SELECT in Spark's dialect, free of clocks, chance, templates and foreign parameters.

    :raises SpecError: naming the line.
    """
    import sqlglot
    from sqlglot import errors, exp

    try:
        tokens = sqlglot.tokenize(text, read="spark")
        unsteady = next(unsteady_words(tokens, text, file), None) or _ill_nested(tokens, file)
        trees = [tree for tree in sqlglot.parse(text, read="spark") if tree is not None] if unsteady is None else []
    except errors.SqlglotError as error:
        details = (getattr(error, "errors", None) or [{}])[0]
        message = (details.get("description") or str(error).splitlines()[0]).split(" but got <Token")[0][:120]
        raise SpecError(f"this is not valid Spark SQL: {message}", Location(file, details.get("line"))) from error
    except RecursionError:
        raise SpecError(NESTED_TOO_DEEP, Location(file)) from None
    if unsteady is not None:
        raise unsteady
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        got = f"{len(trees)} statements" if len(trees) != 1 else trees[0].key.upper()
        raise SpecError("a SQL file holds exactly one SELECT", Location(file, 1), got=got, allowed="one SELECT")
    for select in trees[0].find_all(exp.Select):
        select.set("hint", None)  # how to compute is not what; and a hint's tables are aliases
    for node in trees[0].find_all(exp.Placeholder, exp.Parameter, exp.TableSample, exp.Version, exp.Into):
        if not (isinstance(node, exp.Placeholder) and node.this == _PARAMETER):
            where = Location(file, line_of(node.parent or node))
            raise SpecError("this is refused in SQL", where, got=node.sql("spark")[:80], allowed=f":{_PARAMETER}")
    return trees[0]


def _ill_nested(tokens: Sequence[Token], file: str) -> SpecError | None:
    fault = nesting_fault(tokens)
    return None if fault is None else SpecError(fault[0], Location(file, fault[1]))


def line_of(node: exp.Expr) -> int | None:
    """Line of the nearest token below a node, because only names carry their place."""
    return next((part.meta["line"] for part in node.walk() if "line" in part.meta), None)


def output_columns(tree: exp.Query, file: str, *, star: bool = False) -> tuple[str, ...]:
    """Names of the output columns, in order; each is named once, and none is reserved.

    :param star: whether ``*`` may stand for the columns of the input.
    :raises SpecError: naming the line.
    """
    columns = tuple("*" if select.is_star else select.alias_or_name for select in tree.selects)
    counts = Counter(column.lower() for column in columns)
    for projection, column in zip(tree.selects, columns, strict=True):
        wrong = next(_column_faults(column, counts, star=star), None)
        if wrong is not None:
            got = projection.sql("spark")[:80]
            raise SpecError(wrong, Location(file, line_of(projection)), got=got, allowed="expression AS name, once")
    return columns


def _column_faults(column: str, counts: Counter[str], *, star: bool) -> Iterator[str]:
    if column == "*" and not star:
        yield "name the columns: * changes with its input"
    if not column:
        yield "this column has no name"
    if counts[column.lower()] > 1:
        yield f"two columns are named {column!r}"
    if column.startswith(RESERVED_PREFIX) or column in RESERVED_COLUMNS:
        yield f"the column name {column!r} is reserved"
