"""Rows that silver's own code left out are deletions of what the table had of them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from headwater_spark.tables.sql_text import quoted
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.columns import UNREADABLE, business_columns


def with_filtered_as_deleted(
    made: DataFrame, shaped: DataFrame, key: Sequence[str], ordered_by: Sequence[str] = ()
) -> DataFrame:
    """What the SQL made, and a deletion for every event it left out: its row is not, or no longer, of this table.

    Deletions have no values for a WHERE to look at; they go by it.

    :param key: in silver's names; columns of both frames.
    :param ordered_by: columns that order events, so that a deletion has its place among them.
    """
    kept, all_rows = as_view(made.where("_hw_op <> 'd'"), "kept"), as_view(shaped, "shaped")
    same = " AND ".join(f"s.{quoted(name)} <=> k.{quoted(name)}" for name in ("_hw_position", *key))
    names = [*carried_columns(shaped), *key, *(name for name in ordered_by if name in shaped.columns)]
    given = {**{name: f"s.{quoted(name)}" for name in names}, "_hw_op": "'d'", UNREADABLE: "array()"}
    columns = ", ".join(
        f"TRY_CAST({given.get(name, 'NULL')} AS {made.schema[name].dataType.simpleString()}) AS {quoted(name)}"
        for name in made.columns
    )
    return made.sparkSession.sql(
        f"SELECT * FROM {kept} UNION ALL SELECT {columns} FROM {all_rows} s LEFT ANTI JOIN {kept} k ON {same}"  # noqa: S608 - made of quoted names and literals
    )


def carried_columns(shaped: DataFrame) -> list[str]:
    """The system columns of a shaped row."""
    names = business_columns(shaped)
    return [name for name in shaped.columns if name not in names]
