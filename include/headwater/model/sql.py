"""What a gold or silver SQL file says: one SELECT, its inputs, its output columns (rule 37)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName

if TYPE_CHECKING:
    from sqlglot import exp

Schemas = Mapping[str, Sequence[str]]
"""Dotted table -> its columns, where known."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A checked SELECT.

    :param inputs: tables it reads, in order of first appearance.
    :param columns: names of its output columns, in order.
    """

    inputs: tuple[TableName, ...]
    columns: tuple[str, ...]


def read_gold_sql(text: str, file: str, grain: Sequence[str] = (), schemas: Schemas | None = None) -> SqlFile:
    """Check the SQL of a gold table.

    :raises SpecError: naming the line of ``file``.
    """
    tree = parse_select(text, file)
    found = SqlFile(inputs=_inputs(tree, text, file, (Layer.SILVER, Layer.GOLD)), columns=_columns(tree, text, file))
    return found


def parse_select(text: str, file: str) -> exp.Query:
    """The tree of exactly one SELECT in Spark's dialect.

    :raises SpecError: naming the line.
    """
    import sqlglot
    from sqlglot import errors, exp

    try:
        trees = [tree for tree in sqlglot.parse(text, read="spark") if tree is not None]
    except errors.SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        message = details[0].get("description") or str(error).splitlines()[0]
        raise SpecError(f"this is not valid Spark SQL: {message}", Location(file, details[0].get("line"))) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        got = f"{len(trees)} statements" if len(trees) != 1 else trees[0].key.upper()
        raise SpecError("a SQL file holds exactly one SELECT", Location(file, 1), got=got, allowed="one SELECT")
    return trees[0]


def _inputs(tree: exp.Query, text: str, file: str, layers: tuple[Layer, ...]) -> tuple[TableName, ...]:
    from sqlglot import exp

    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    found: dict[TableName, None] = {}
    for table in tree.find_all(exp.Table):
        if not table.db and table.name in named:
            continue
        written = ".".join(part.name for part in table.parts)
        found[_table_name(written, line_in(table, text), file, layers)] = None
    return tuple(found)


def _table_name(written: str, line: int | None, file: str, layers: tuple[Layer, ...]) -> TableName:
    allowed = "<layer>.<source>.<table>, layer " + " or ".join(layers)
    try:
        name = TableName.parse(written)
    except ValueError as error:
        raise SpecError("this is no table", Location(file, line), got=written[:80], allowed=allowed) from error
    if name.layer not in layers or written != name.dotted:
        raise SpecError("this table may not be read here", Location(file, line), got=written, allowed=allowed)
    return name


def _columns(tree: exp.Query, text: str, file: str) -> tuple[str, ...]:
    return tuple(tree.named_selects)


def line_in(node: exp.Expression, text: str) -> int | None:
    """Line of a node: of its nearest token, because only names carry their place."""
    return next((line for line in _lines(node)), None)


def _lines(node: exp.Expression) -> Iterator[int]:
    for part in node.walk():
        line = part.meta.get("line")
        if line is not None:
            yield line
