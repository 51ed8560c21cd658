"""Reads releases with SQL: DuckDB over exactly the snapshots a release names, nothing else within reach."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headwater.adapters.duckdb.answers import QueryResult, answered
from headwater.adapters.duckdb.histories import check_histories, history_functions, history_macros
from headwater.adapters.duckdb.snapshots import columns_of, load_iceberg, path_of, scan_of
from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.iceberg.refusals import refused_by_store
from headwater.domain.errors import HeadwaterError, NotFoundError, QueryRefusedError
from headwater.domain.names import Layer
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.storage import S3Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
"""Every other table function reaches files, settings or the network."""
_TOMBSTONE = "_hw_deleted"


def query(
    sql: str,
    releases: Sequence[Release],
    warehouse: str,
    keys: Mapping[str, Sequence[str]] | None = None,
    s3: S3Settings | None = None,
) -> QueryResult:
    """Run one SELECT over the tables of these releases, named as in ``silver.flights.flights``.

    Silver shows no deleted keys; silver and gold show no columns of ours. Of a table with history,
    ``silver.flights.airports_valid_at(<instant>)`` and ``…_as_known_at(<instant>)`` may be read as well.

    :param warehouse: the folder tables live in; the only one within reach.
    :param s3: how the buckets of a warehouse in S3 are reached.
    :param keys: dotted table -> its key, of the tables that ``_as_known_at`` is asked of.
    :raises CatalogError: when the warehouse's store refuses or does not answer.
    :raises QueryRefusedError: for anything but one SELECT over released tables, and for SQL that DuckDB refuses.
    """
    import duckdb

    with duckdb.connect() as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            ours = history_functions(item.table for item in _tables(releases))
            called = _refuse_all_but_reading(connection, sql, ours)
            check_histories(called, _make_views(connection, releases, keys or {}, s3))
            _close_the_doors(connection, warehouse)
            return answered(connection, sql)
        except duckdb.IOException as error:
            raise _unreadable(str(error)) from None
        except duckdb.Error as error:
            known = ", ".join(sorted({item.table.dotted for item in _tables(releases)})) or "nothing was released yet"
            allowed = known if isinstance(error, duckdb.CatalogException) else None
            # the line it may show is one of SQL made around the query
            got = str(error).partition("\n\nLINE ")[0][:500]
            raise QueryRefusedError("DuckDB refused the query.", got=got, allowed=allowed) from None


def _unreadable(text: str) -> HeadwaterError:
    """A store that says anything but that the file is gone was not the retention's doing."""
    if text.startswith("HTTP") and "HTTP 404" not in text:
        return refused_by_store("reading the release", text)
    return QueryRefusedError(
        "A file of a released table cannot be read.", got=text[:500],
        remedy="A release is kept as long as `maintenance.retention` of the profile says after another took "
        "its place; `uv run headwater releases` lists newer ones. Otherwise see if the warehouse answers.",
    )  # fmt: skip


def _refuse_all_but_reading(connection: DuckDBPyConnection, sql: str, ours: frozenset[str]) -> list[str]:
    """The functions of ours that are called, by their full names."""
    # not as a parameter: DuckDB imports pandas, for a third of what such a command takes, to learn if it was given one
    row = connection.execute(f"SELECT json_serialize_sql({literal(sql)}::VARCHAR)").fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"] or len(tree["statements"]) != 1:
        allowed = "one SELECT statement"
        raise QueryRefusedError("A query reads, and is one statement.", got=tree.get("error_message"), allowed=allowed)
    called = []
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            function = node["function"]
            _refuse_function(function["function_name"], ours)
            if function["catalog"] and function["function_name"] in ours:
                called.append(f"{function['catalog']}.{function['schema']}.{function['function_name']}".lower())
        name = node.get("table_name", "") if node.get("type") == "BASE_TABLE" else ""
        if "/" in name or "." in name or ":" in name:
            raise QueryRefusedError("A query reads released tables, not files.", got=name)
    return called


def _refuse_function(name: str, ours: frozenset[str]) -> None:
    if name not in _TABLE_FUNCTIONS | ours:
        allowed = ", ".join(sorted(_TABLE_FUNCTIONS))
        raise QueryRefusedError("A table function could reach beyond the release.", got=name, allowed=allowed)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _tables(releases: Sequence[Release]) -> Iterator[ReleasedTable]:
    for release in releases:
        if release.status != "published":
            raise NotFoundError(f"Release {release.id} was not published, so it shows nothing.", got=release.status)
        yield from release.tables


def _make_views(
    connection: DuckDBPyConnection,
    releases: Sequence[Release],
    keys: Mapping[str, Sequence[str]],
    s3: S3Settings | None,
) -> frozenset[str]:
    """Returns the full names of the functions that were made with them."""
    load_iceberg(connection, s3)
    for layer in Layer:
        connection.execute(f"ATTACH ':memory:' AS {layer}")
    made = (_make_view(connection, item, keys.get(item.table.dotted)) for item in _tables(releases))
    return frozenset(f for functions in made for f in functions)


def _make_view(connection: DuckDBPyConnection, item: ReleasedTable, key: Sequence[str] | None) -> list[str]:
    name = item.table
    scan = scan_of(item)
    columns = list(columns_of(connection, scan))
    shown = [c for c in columns if not c.startswith("_hw_") or name.layer in {Layer.BRONZE, Layer.QUARANTINE}]
    alive = f" WHERE {_TOMBSTONE} IS NOT TRUE" if _TOMBSTONE in columns else ""
    select = f"SELECT {', '.join(map(quoted, shown))} FROM {scan}{alive}"  # noqa: S608 - names of our own, quoted
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name.layer}.{quoted(name.source)}")
    connection.execute(f"CREATE VIEW {name.layer}.{quoted(name.source)}.{quoted(name.table)} AS {select}")
    macros = history_macros(name, scan, columns, key)
    for statement in macros.values():
        connection.execute(statement)
    return [f"{name.dotted}{end}" for end in macros]


def _close_the_doors(connection: DuckDBPyConnection, warehouse: str) -> None:
    connection.execute(f"SET allowed_directories = [{literal(path_of(warehouse).rstrip('/') + '/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")
