"""Which input columns each output column of a SELECT is made of: through CASE, joins, windows and CTEs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from headwater.domain.lineage import ColumnLineage
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import TableSchema
from headwater.domain.spec import TableSpec
from headwater.model.sql.correlated import with_sources_of_outer_rows
from headwater.model.sql.expressions import columns_of
from headwater.model.sql.named_windows import with_windows_written_out
from headwater.model.sql.one_select import parse_select

if TYPE_CHECKING:
    from sqlglot.lineage import Node


def column_lineage(sql: str, schemas: Mapping[str, TableSchema] | None = None) -> tuple[ColumnLineage, ...]:
    """Lineage of every output column, in order. A column only filtered, joined or grouped by is no input.

    :param schemas: dotted table -> its columns; needed for columns written without their table where several are
        joined, and for inputs whose columns are not all lower case.
    :raises SpecError: when the SQL is no SELECT.
    """
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify

    tree = with_windows_written_out(parse_select(sql, "sql"))
    written = {select.alias_or_name.lower(): select for select in tree.selects}
    known = schemas or {}
    names = _nested(known)
    whole = qualify(tree.copy(), dialect="spark", schema=names, validate_qualify_columns=False, identify=False)
    followed = with_sources_of_outer_rows(whole)
    nodes = lineage(None, followed, schema=names, dialect="spark", trim_selects=False)
    return tuple(
        ColumnLineage(
            column=select.alias_or_name,
            inputs=tuple(sorted(set(_leaves(nodes[name], known)))),
            transformation=select.unalias().sql("spark"),
        )
        for name, select in written.items()
    )


def silver_lineage(source: str, table: TableSpec, columns: Sequence[str]) -> tuple[ColumnLineage, ...]:
    """Lineage of a silver table from its bronze table.

    :param columns: the bronze columns as they are.
    """
    bronze = TableName(layer=Layer.BRONZE, source=source, table=table.name).dotted
    if table.sql is not None:
        return column_lineage(table.sql)
    own = [name for name in columns if not name.startswith("_hw_")]
    made = [name for name in table.columns if name not in own and table.columns[name].expression is not None]
    found = []
    for name in (*own, *made):
        rule = table.columns.get(name)
        expression = rule.expression if rule is not None else None
        target = rule.rename if rule is not None and rule.rename is not None else name
        reads = (name,) if expression is None else columns_of(expression)
        inputs = tuple((bronze, column) for column in reads)
        found.append(ColumnLineage(column=target, inputs=inputs, transformation=expression or name))
    return tuple(found)


def _nested(schemas: Mapping[str, TableSchema]) -> dict[str, object]:
    nested: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for dotted, schema in schemas.items():
        name = TableName.parse(dotted)
        columns = dict.fromkeys(schema.names, "string")
        nested.setdefault(name.layer.value, {}).setdefault(name.source, {})[name.table] = columns
    return {**nested}


def _leaves(node: Node, schemas: Mapping[str, TableSchema]) -> Iterator[tuple[str, str]]:
    import sqlglot
    from sqlglot import exp

    for leaf in node.walk():
        if isinstance(leaf.expression, exp.Table) and leaf.expression.db:
            dotted = ".".join(part.name for part in leaf.expression.parts)
            # a leaf's name is SQL of a column: quoted where it holds a dot or is a word of SQL
            column = sqlglot.parse_one(leaf.name, into=exp.Column).name
            yield dotted, _as_written(column, schemas.get(dotted))


def _as_written(column: str, schema: TableSchema | None) -> str:
    names = schema.names if schema is not None else ()
    return next((name for name in names if name.lower() == column.lower()), column)
