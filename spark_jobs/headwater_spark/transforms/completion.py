"""What an event leaves out is what its row had before: in the same life of the key, or in that of the old key.

A key lives from ``c`` or ``r`` to ``d``.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from headwater_spark.tables.sql_text import listed, literal, quoted
from headwater_spark.tables.views import as_view, settled
from headwater_spark.transforms.changes import KEY_TEXT, OLD_KEY_TEXT
from headwater_spark.transforms.columns import business_columns

_BEGINS = "_hw_op IN ('c', 'r', 'd')"


def left_out(rows: DataFrame, marks: str) -> list[str]:
    """Columns that any of the rows leaves out."""
    found = rows.selectExpr(f"array_sort(array_distinct(flatten(collect_set({marks})))) AS names").collect()
    return [name for name in found[0].names or () if name in rows.columns]


def completed(
    rows: DataFrame, key: Sequence[str], marks: str = "_hw_unavailable", names: Sequence[str] | None = None
) -> DataFrame:
    """The rows with the values they leave out, as far as an earlier event of the same life tells them.

    :param marks: array of the columns left out; what stays in it is not known.
    :param names: the columns left out by any of the rows, where they are known already.
    """
    names = left_out(rows, marks) if names is None else names
    if not names:
        return rows
    view, keys = as_view(rows, "partial"), listed(key)
    order = "ORDER BY _hw_position ROWS UNBOUNDED PRECEDING"
    tells = "array_contains(_hw_carried, {0})" if "_hw_carried" in rows.columns else "true"
    found = ", ".join(
        f"last(IF(_hw_op = 'd' OR array_contains({marks}, {literal(name)}), NULL, "
        f"named_struct('v', {quoted(name)}, 'told', {tells.format(literal(name))})), true) "
        f"OVER (PARTITION BY {keys}, hw_life {order}) AS hw_found_{n}"
        for n, name in enumerate(names)
    )
    known = " OR ".join(f"(c = {literal(name)} AND hw_found_{n} IS NOT NULL)" for n, name in enumerate(names))
    told = " OR ".join(f"(c = {literal(name)} AND hw_found_{n}.told)" for n, name in enumerate(names))
    values = {
        name: f"IF(array_contains({marks}, {literal(name)}), hw_found_{n}.v, {quoted(name)})"
        for n, name in enumerate(names)
    }
    values[marks] = f"filter({marks}, c -> NOT coalesce({known}, false))"
    values["_hw_carried"] = f"concat(_hw_carried, filter({marks}, c -> coalesce({told}, false)))"
    columns = ", ".join(f"{values.get(name, quoted(name))} AS {quoted(name)}" for name in rows.columns)
    return rows.sparkSession.sql(
        f"WITH lived AS (SELECT *, count_if({_BEGINS}) OVER (PARTITION BY {keys} {order}) AS hw_life FROM {view}), "  # noqa: S608 - made of quoted names and literals
        f"looked AS (SELECT *, {found} FROM lived) SELECT {columns} FROM looked"
    )


def completed_over_key_changes(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """As ``completed``; what a changed key leaves out is taken from the old key, over any number of changes."""
    while True:
        done = settled(completed(rows, key))
        open_changes = done.where(f"{OLD_KEY_TEXT} IS NOT NULL AND size(_hw_unavailable) > 0")
        if open_changes.isEmpty():
            return done
        inherited = settled(_inherited(open_changes, done))
        if inherited.isEmpty():
            return done
        same = [*key, "_hw_position"]
        rows = rows.join(inherited.select(*map(quoted, same)), same, "left_anti").unionByName(inherited)


def _inherited(changes: DataFrame, done: DataFrame) -> DataFrame:
    """The key changes that the old key's last row before them can complete, completed."""
    new, old = as_view(changes, "new_keys"), as_view(done, "old_keys")
    values = {
        name: f"IF(array_contains(hw_known, {literal(name)}), o.{quoted(name)}, n.{quoted(name)})"
        for name in business_columns(done)
    }
    values["_hw_unavailable"] = "array_except(n._hw_unavailable, hw_known)"
    values["_hw_carried"] = "concat(n._hw_carried, array_intersect(hw_known, o._hw_carried))"
    columns = ", ".join(f"{values.get(name, 'n.' + quoted(name))} AS {quoted(name)}" for name in changes.columns)
    return changes.sparkSession.sql(
        f"WITH met AS (SELECT struct(n.*) AS n, struct(o.*) AS o, "  # noqa: S608 - made of quoted names and literals
        f"array_except(n._hw_unavailable, o._hw_unavailable) AS hw_known, "
        f"row_number() OVER (PARTITION BY n.{KEY_TEXT}, n._hw_position ORDER BY o._hw_position DESC) AS hw_back "
        f"FROM {new} n JOIN {old} o ON o.{KEY_TEXT} = n.{OLD_KEY_TEXT} AND o._hw_position < n._hw_position) "
        f"SELECT {columns} FROM met WHERE hw_back = 1 AND o._hw_op <> 'd' AND size(hw_known) > 0"
    )
