"""What a silver or gold SQL file says: one SELECT, its inputs, its output columns (rule 37)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.model.sql.expressions import row_maker
from headwater.model.sql.lineage import column_lineage
from headwater.model.sql.one_select import line_of, output_columns, parse_select

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["SqlFile", "column_lineage", "read_gold_sql", "read_silver_sql"]


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A checked SELECT.

    :param inputs: tables it reads, in order of first appearance.
    :param columns: names of its output columns, in order.
    """

    inputs: tuple[TableName, ...]
    columns: tuple[str, ...]


def read_gold_sql(text: str, file: str) -> SqlFile:
    """Check the SQL of a gold table: any SELECT over silver and gold tables, every output column named.

    :raises SpecError: naming the line of ``file``.
    """
    tree = parse_select(text, file)
    inputs = _inputs(tree, file, (Layer.SILVER, Layer.GOLD))
    if not inputs:
        raise SpecError("the SQL reads no table", Location(file, 1), allowed="silver.<source>.<table>")
    return SqlFile(inputs, output_columns(tree, file))


def read_silver_sql(text: str, file: str, bronze: TableName) -> SqlFile:
    """Check the SQL of a silver table: row by row over its own bronze increment, no row lost and none doubled.

    ``*`` is allowed and stands for the bronze columns; ``columns`` then holds ``"*"``.

    :raises SpecError: naming the line of ``file``.
    """
    from sqlglot import exp

    tree = parse_select(text, file)
    many = (exp.Join, exp.Lateral, exp.AggFunc, exp.Window, exp.Subquery, exp.CTE, exp.SetOperation)
    clauses = ("where", "group", "having", "qualify", "distinct", "order", "limit", "offset", "sort", "cluster")
    found = next(tree.find_all(*many), None) or next((tree.args[key] for key in clauses if tree.args.get(key)), None)
    found = found or row_maker(tree)
    if found is not None:
        allowed = "expressions over one row; joins and aggregates belong to gold, filters to the contract"
        raise SpecError(
            "silver SQL is row by row", Location(file, line_of(found)), got=found.sql("spark")[:80], allowed=allowed
        )
    clock = tree.find(exp.Placeholder)
    if clock is not None:
        message = "a row refined again must be the same row: silver has no clock"
        remedy = "use the clock in gold, or a column of the source"
        raise SpecError(message, Location(file, line_of(clock.parent or clock)), ":planned_at", remedy=remedy)
    inputs = _inputs(tree, file, (Layer.BRONZE,))
    if inputs != (bronze,):
        got = ", ".join(table.dotted for table in inputs) or "no table"
        raise SpecError("silver SQL reads its own bronze table", Location(file, 1), got=got, allowed=bronze.dotted)
    return SqlFile(inputs, output_columns(tree, file, star=True))


def _inputs(tree: exp.Query, file: str, layers: tuple[Layer, ...]) -> tuple[TableName, ...]:
    from sqlglot import exp

    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found: dict[TableName, None] = {}
    for table in tree.find_all(exp.Table, bfs=False):
        if table.db or table.name.lower() not in named:
            found[_table_name(table, file, layers)] = None
    return tuple(found)


def _table_name(table: exp.Table, file: str, layers: tuple[Layer, ...]) -> TableName:
    written = ".".join(part.name or part.sql("spark") for part in table.parts)
    where, allowed = Location(file, line_of(table)), "<layer>.<source>.<table>, layer " + " or ".join(layers)
    try:
        name = TableName.parse(written)
    except ValueError as error:
        raise SpecError("this is no table", where, got=written[:80], allowed=allowed) from error
    if name.layer not in layers or written != name.dotted:
        raise SpecError("this table may not be read here", where, got=written, allowed=allowed)
    return name
