"""The statement that selects at the source exactly the rows that a gate objected to."""

from __future__ import annotations

from headwater.domain.lineage import SourcePlace
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import SourceSpec, SqlExtract, TableSpec
from headwater.services.incidents.source_sql import dialect_of, name_in
from headwater.services.lineage.places import parts_at


def offending_rows(spec: SourceSpec, table: TableName, predicate: str, place: SourcePlace | None = None) -> str | None:
    """A SELECT over the source's relation, in the SQL of its own kind of database.

    :param predicate: Spark SQL over the judged table's columns, true for an offending row.
    :param place: what the source's connection leads to; None where nobody knows.
    :returns: None where rows cannot be traced back: gold, files, a silver table made by SQL or code,
        or a predicate that is no expression over columns.
    """
    item = next((item for item in spec.tables if item.name == table.table), None)
    if item is None or table.layer not in {Layer.BRONZE, Layer.SILVER} or item.extract.kind != "sql":
        return None
    if table.layer == Layer.SILVER and item.is_shaped_by_code:
        return None
    dialect = dialect_of(place)
    condition = _over_source_columns(item, predicate, dialect, renamed=table.layer == Layer.SILVER)
    return None if condition is None else _statement(item, condition, place, dialect)


def _statement(item: TableSpec, condition: str, place: SourcePlace | None, dialect: str) -> str:
    named = item.extract.relation if isinstance(item.extract, SqlExtract) and item.extract.relation else item.name
    return f"SELECT * FROM {name_in(dialect, parts_at(place, named))} WHERE {condition};"  # noqa: S608 - shown, not run


def _over_source_columns(item: TableSpec, predicate: str, dialect: str, *, renamed: bool) -> str | None:
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
        return tree.transform(traced).sql(dialect=dialect, identify=True)
    except sqlglot.errors.SqlglotError:
        return None
