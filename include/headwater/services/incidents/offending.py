"""The statement that selects at the source exactly the rows that a gate objected to."""

from __future__ import annotations

from headwater.domain.names import Layer, TableName
from headwater.domain.spec import SourceSpec, TableSpec
from headwater.services.source_names import quoted_relation


def offending_rows(spec: SourceSpec, table: TableName, predicate: str) -> str | None:
    """A SELECT over the source's relation.

    :param predicate: Spark SQL over the judged table's columns, true for an offending row.
    :returns: PostgreSQL, or None where rows cannot be traced back: gold, files, a silver table made by SQL or code,
        or a predicate that is no expression over columns.
    """
    item = next((item for item in spec.tables if item.name == table.table), None)
    if item is None or table.layer not in {Layer.BRONZE, Layer.SILVER} or item.extract.kind != "sql":
        return None
    if table.layer == Layer.SILVER and item.is_shaped_by_code:
        return None
    condition = _over_source_columns(item, predicate, renamed=table.layer == Layer.SILVER)
    relation = item.extract.relation or f"public.{item.name}"
    return None if condition is None else f"SELECT * FROM {quoted_relation(relation)} WHERE {condition};"  # noqa: S608 - shown, not run


def _over_source_columns(item: TableSpec, predicate: str, renamed: bool) -> str | None:
    import sqlglot
    from sqlglot import exp

    origin = {rule.rename or name: (name, rule.expression) for name, rule in item.columns.items()} if renamed else {}

    def traced(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Column) or node.name not in origin:
            return node
        name, expression = origin[node.name]
        if expression is not None:
            return exp.paren(sqlglot.parse_one(expression, read="spark"))
        return exp.column(name, quoted=True)

    try:
        tree = sqlglot.parse_one(predicate, read="spark")
        if any(column.name.startswith("_hw_") for column in tree.find_all(exp.Column)) or tree.find(exp.Select):
            return None
        return tree.transform(traced).sql(dialect="postgres", identify=True)
    except sqlglot.errors.SqlglotError:
        return None
