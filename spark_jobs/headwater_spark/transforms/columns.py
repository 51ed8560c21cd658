"""Bronze columns to silver columns: rename, expression, type, as the YAML declares."""

from __future__ import annotations

from pyspark.sql import DataFrame

from headwater.domain.errors import SchemaDriftError, SpecError
from headwater.domain.names import RESERVED_PREFIX
from headwater.domain.spec import ColumnRule, TableSpec
from headwater_spark.tables.sql_text import literal, quoted, spark_type

CARRIED = ("_hw_batch", "_hw_op", "_hw_position", "_hw_origin", "_hw_extracted_at")
"""System columns of bronze that a row keeps on its way."""
UNREADABLE = "_hw_unreadable"
"""Names of the rules a row broke by holding a value that its declared type cannot take."""


def silver_name(spec: TableSpec, column: str) -> str:
    """What a source column is called in silver."""
    rule = spec.columns.get(column)
    return rule.rename if rule is not None and rule.rename else column


def business_columns(frame: DataFrame) -> tuple[str, ...]:
    """The columns that are the source's own."""
    return tuple(name for name in frame.columns if not name.startswith(RESERVED_PREFIX))


def shape_columns(spec: TableSpec, bronze: DataFrame) -> DataFrame:
    """Business columns by the column rules, plus the carried system columns and ``_hw_unreadable``.

    :raises SchemaDriftError: when a rule concerns a column that bronze lacks.
    :raises SpecError: when a column is to be masked and no key is at hand.
    """
    sources = business_columns(bronze)
    selected, unreadable = [], []
    for name in [*sources, *(name for name in spec.columns if name not in sources)]:
        rule = spec.columns.get(name, ColumnRule())
        value = _value(spec, name, rule, known=name in sources)
        target = rule.rename or name
        if rule.type is not None:
            cast = f"TRY_CAST({value} AS {spark_type(rule.type)})"
            unreadable.append(f"IF({value} IS NOT NULL AND {cast} IS NULL, {literal(f'type of {target}')}, NULL)")
            value = cast
        selected.append(f"{value} AS {quoted(target)}")
    names = f"array({', '.join(unreadable)})" if unreadable else "CAST(array() AS array<string>)"
    return bronze.selectExpr(*selected, *CARRIED, f"array_compact({names}) AS {UNREADABLE}")


def _value(spec: TableSpec, name: str, rule: ColumnRule, *, known: bool) -> str:
    if rule.mask is not None:
        raise SpecError(
            f"column {name} of {spec.name} is to be masked, and no masking key is configured",
            allowed="a masking key from a connection (rule 36)",
            remedy=f"Leave {name} out by an expression, or configure the key before this table is refined.",
            facts={"table": spec.name, "column": name},
        )
    if rule.expression is not None:
        return f"({rule.expression})"
    if not known:
        raise SchemaDriftError(
            f"column {name} of {spec.name} has a rule in the YAML and is not in bronze",
            got="no such column",
            remedy=f"Correct or remove `columns: {name}` in the YAML, or restore the column at the source.",
            facts={"table": spec.name, "column": name},
        )
    return quoted(name)
