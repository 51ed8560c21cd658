"""Bronze columns to silver columns: rename, expression, type, default, as the YAML declares."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from headwater.domain.errors import SchemaDriftError
from headwater.domain.masking import MaskingKey
from headwater.domain.names import RESERVED_PREFIX
from headwater.domain.schema import CHANGE_COLUMNS
from headwater.domain.spec import ColumnRule, TableSpec
from headwater_spark.tables.sql_text import literal, quoted, spark_type
from headwater_spark.transforms.masking import masked, with_masking_key

CARRIED = ("_hw_batch", "_hw_op", "_hw_position", "_hw_origin", "_hw_extracted_at")
"""System columns of bronze that a row keeps on its way."""
OF_CHANGES = tuple(column.name for column in CHANGE_COLUMNS)
"""System columns that only a stream of changes has."""
UNREADABLE = "_hw_unreadable"
"""Names of the rules a row broke by holding a value that its declared type cannot take."""


def silver_name(spec: TableSpec, column: str) -> str:
    """What a source column is called in silver."""
    rule = spec.columns.get(column)
    return rule.rename if rule is not None and rule.rename else column


def business_columns(frame: DataFrame) -> tuple[str, ...]:
    """The columns that are the source's own."""
    return tuple(name for name in frame.columns if not name.startswith(RESERVED_PREFIX))


def shape_columns(
    spec: TableSpec, bronze: DataFrame, kept: Sequence[str] = (), *, masking: MaskingKey | None = None
) -> DataFrame:
    """Business columns by the column rules, plus the carried system columns and ``_hw_unreadable``.

    :param kept: further system columns to carry.
    :param masking: the key of ``mask: hash``.
    :raises SchemaDriftError: when a rule concerns a column that bronze lacks.
    :raises SpecError: when a column is to be masked and no key is at hand.
    """
    sources = business_columns(bronze)
    rows = with_masking_key(spec, bronze, masking)
    selected, unreadable = [], []
    for name in [*sources, *(name for name in spec.columns if name not in sources)]:
        rule = spec.columns.get(name, ColumnRule())
        value = _with_default(bronze, name, rule, _value(spec, name, rule, known=name in sources))
        target = rule.rename or name
        if rule.type is not None:
            cast = f"TRY_CAST({value} AS {spark_type(rule.type)})"
            unreadable.append(f"IF({value} IS NOT NULL AND {cast} IS NULL, {literal(f'type of {target}')}, NULL)")
            value = cast
        if rule.mask is not None and masking is not None:
            value = masked(value, rows.selectExpr(f"{value} AS v").schema["v"].dataType, masking)
        selected.append(f"{value} AS {quoted(target)}")
    names = f"array({', '.join(unreadable)})" if unreadable else "CAST(array() AS array<string>)"
    system = [*CARRIED, *(name for name in OF_CHANGES if name in bronze.columns), *kept]
    return rows.selectExpr(*selected, *system, f"array_compact({names}) AS {UNREADABLE}")


def _with_default(bronze: DataFrame, name: str, rule: ColumnRule, value: str) -> str:
    """The declared default where the source said nothing: an unknown column of an event, NULL of an extract."""
    if rule.default is None:
        return value
    known = f"CAST({value} AS {bronze.schema[name].dataType.simpleString()})" if name in bronze.columns else value
    default = f"CAST({literal(_text(rule.default))} AS {_default_type(bronze, name, rule)})"
    if "_hw_carried" not in bronze.columns:
        return f"IF(_hw_op = 'd', {known}, coalesce({known}, {default}))"
    told = f"_hw_op = 'd' OR array_contains(concat(_hw_carried, _hw_unavailable), {literal(name)})"
    return f"IF({told}, {known}, {default})"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _default_type(bronze: DataFrame, name: str, rule: ColumnRule) -> str:
    if name in bronze.columns:
        return str(bronze.schema[name].dataType.simpleString())
    return spark_type(rule.type or "string")


def _value(spec: TableSpec, name: str, rule: ColumnRule, *, known: bool) -> str:
    if rule.expression is not None:
        return f"({rule.expression})"
    if known:
        return quoted(name)
    if rule.default is not None:
        return f"CAST(NULL AS {spark_type(rule.type or 'string')})"
    raise SchemaDriftError(
        f"column {name} of {spec.name} has a rule in the YAML and is not in bronze",
        got="no such column",
        remedy=f"Correct or remove `columns: {name}` in the YAML, or restore the column at the source.",
        facts={"table": spec.name, "column": name},
    )
