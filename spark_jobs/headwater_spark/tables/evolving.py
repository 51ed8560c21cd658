"""Making an existing table fit its columns, as far as that changes nothing readers have (rule 14)."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession

from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import TableName
from headwater_spark.tables.sql_text import quoted

_WIDENINGS = {("int", "bigint"), ("float", "double")}


def evolve_columns(spark: SparkSession, table: TableName, columns: Mapping[str, str]) -> None:
    """Add the columns the table lacks and widen those that need it.

    :param columns: name -> Spark type, of everything the table is to have.
    :raises SchemaDriftError: when a column is no longer made, or changed to a type that does not hold its values.
    """
    live = {field.name: field.dataType.simpleString() for field in spark.table(table.iceberg).schema.fields}
    for name in live.keys() - columns.keys():
        raise _drift(table, name, f"column {name} of {table} is no longer made", "a dropped column needs a rebuild")
    added = {name: kind for name, kind in columns.items() if name not in live}
    if added:
        ddl = ", ".join(f"{quoted(name)} {kind}" for name, kind in added.items())
        spark.sql(f"ALTER TABLE {table.iceberg} ADD COLUMNS ({ddl})").collect()
    for name, kind in columns.items():
        if name in live and live[name] != kind and not _widens(kind, live[name]):
            if not _widens(live[name], kind):
                message = f"column {name} of {table} changed its type from {live[name]} to {kind}"
                raise _drift(table, name, message, f"{live[name]} or a wider type")
            spark.sql(f"ALTER TABLE {table.iceberg} ALTER COLUMN {quoted(name)} TYPE {kind}").collect()


def _widens(old: str, new: str) -> bool:
    if old.startswith("decimal(") and new.startswith("decimal("):
        (old_digits, old_scale), (new_digits, new_scale) = (
            [int(part) for part in kind[8:-1].split(",")] for kind in (old, new)
        )
        return old_scale == new_scale and old_digits <= new_digits
    return (old, new) in _WIDENINGS


def _drift(table: TableName, column: str, message: str, allowed: str) -> SchemaDriftError:
    return SchemaDriftError(
        message,
        allowed=allowed,
        remedy="Give the column another name in the YAML or SQL, or undo the change; where a change of the files means "
        "it so, acknowledge that (`headwater validate --against stored` names it): a new physical table follows.",
        facts={"table": table.dotted, "column": column},
    )
