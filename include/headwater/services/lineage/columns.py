"""Which columns each column of a pipeline's tables is made of."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.domain.lineage import ColumnLineage
from headwater.domain.names import RESERVED_PREFIX, Layer
from headwater.domain.schema import TableSchema
from headwater.domain.spec import ColumnRule, FilesExtract, GoldSpec, SourceSpec, TableSpec
from headwater.ports.model import SqlLineage


def source_relation(spec: SourceSpec, table: TableSpec) -> str:
    """``source:<connection>:<relation>``: where a bronze table is read from; only its connection knows the schema."""
    if isinstance(table.extract, FilesExtract):
        return f"source:{spec.connection}:{table.extract.path}"
    return f"source:{spec.connection}:{table.extract.relation or table.name}"


def bronze_columns(spec: SourceSpec, table: TableSpec, schema: TableSchema) -> tuple[ColumnLineage, ...]:
    """Bronze keeps every column of the source under its own name; system columns come from no source."""
    relation = source_relation(spec, table)
    return tuple(ColumnLineage(column=name, inputs=((relation, name),)) for name in _business(schema))


def silver_columns(
    spec: SourceSpec, table: TableSpec, bronze_schema: TableSchema, sql_lineage: SqlLineage
) -> tuple[ColumnLineage, ...]:
    """A silver table's columns: by its SQL where it has one, else by its column rules; scd2 adds the interval's."""
    if table.transform is not None:
        return ()  # a function does not say which column becomes which
    bronze = spec.name_of(Layer.BRONZE, table.name).dotted
    schemas = {bronze: bronze_schema} if bronze_schema.columns else {}
    if table.sql is not None:
        return _with_interval(table, sql_lineage(table.sql, schemas))
    computed = _expressions(bronze, table.columns, schemas, sql_lineage)
    own = _business(bronze_schema)
    made = [name for name in table.columns if name not in own and name in computed]
    found = []
    for name in (*own, *made):
        rule = table.columns.get(name, ColumnRule())
        lineage = computed.get(name) or ColumnLineage(column=name, inputs=((bronze, name),))
        if rule.mask is not None:
            lineage = lineage.model_copy(update={"transformation": f"{rule.mask}({lineage.transformation or name})"})
        found.append(lineage.model_copy(update={"column": rule.rename or name}))
    return _with_interval(table, tuple(found))


def gold_columns(
    gold: GoldSpec, schemas: Mapping[str, TableSchema], sql_lineage: SqlLineage
) -> tuple[ColumnLineage, ...]:
    """A gold table's columns by its SQL.

    :param schemas: dotted table -> columns; those of the SQL's inputs are used.
    """
    if gold.transform is not None:
        return ()  # a function does not say which column becomes which
    inputs = {name.dotted for name in gold.inputs}
    return sql_lineage(
        gold.sql, {dotted: schema for dotted, schema in schemas.items() if dotted in inputs and schema.columns}
    )


def _business(schema: TableSchema) -> tuple[str, ...]:
    return tuple(name for name in schema.names if not name.startswith(RESERVED_PREFIX))


def _expressions(
    bronze: str, rules: Mapping[str, ColumnRule], schemas: Mapping[str, TableSchema], sql_lineage: SqlLineage
) -> dict[str, ColumnLineage]:
    """Source column -> lineage of its expression, asked as one SELECT under names that any dialect takes."""
    texts = {name: rule.expression for name, rule in rules.items() if rule.expression is not None}
    if not texts:
        return {}
    selected = ", ".join(f"({text}) AS c{index}" for index, text in enumerate(texts.values()))
    found = sql_lineage(f"SELECT {selected} FROM {bronze}", schemas)  # noqa: S608 - parsed, never run
    pairs = zip(texts.items(), found, strict=True)
    return {
        name: lineage.model_copy(update={"column": name, "transformation": text}) for (name, text), lineage in pairs
    }


def _with_interval(table: TableSpec, columns: tuple[ColumnLineage, ...]) -> tuple[ColumnLineage, ...]:
    """scd2: where versions begin and end follows the column that dates them (rule 35)."""
    dating = table.silver.valid_from or table.silver.sequence_by
    source = next((column for column in columns if column.column == dating), None)
    if table.silver.form != "scd2" or source is None:
        return columns
    interval = (source.model_copy(update={"column": name, "transformation": dating}) for name in _INTERVAL)
    return (*columns, *interval)


_INTERVAL = ("valid_from", "valid_to")
