"""``query`` and ``lineage``: what an analyst asks."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from headwater.cli.lineage_tree import lineage_graph
from headwater.cli.opening import defined_connections, opened_platform, repository
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import NotFoundError, SpecError
from headwater.domain.names import TableName


def register(app: typer.Typer) -> None:
    app.command()(query)
    app.command()(lineage)


def query(
    sql: Annotated[str, typer.Argument(help='Such as "select * from gold.flights.daily_departures limit 5".')],
    release: Annotated[str | None, typer.Option(help="Read this older release instead of the current ones.")] = None,
    as_json: Json = False,
) -> None:
    """Read released tables with SQL (DuckDB); --json prints a list of row objects."""
    from headwater.adapters.duckdb.query import query as run_query
    from headwater.services.histories import history_keys

    with opened_platform() as platform:
        found = [platform.runs.release(release)] if release else list(platform.runs.current())
        known = [item for item in found if item is not None]
        if len(known) < len(found):
            raise NotFoundError(
                "There is no release of that id.", got=release, remedy="`headwater releases` lists them."
            )
        catalog = platform.settings.catalog
        result = run_query(sql, known, catalog.warehouse, history_keys(platform, known, sql), catalog.s3)
    if as_json:
        print_json(result.objects())
        return
    print_table("", result.columns, result.rows, is_data=True)
    console().print("1 row" if len(result.rows) == 1 else f"{len(result.rows):,} rows")


def lineage(
    table: Annotated[str, typer.Argument(help="Such as gold.flights.daily_departures.")], as_json: Json = False
) -> None:
    """Where a table comes from and what is made of it."""
    from headwater.model.repository import load_repository

    found = load_repository(repository())
    if found.errors:
        raise SpecError(f"{len(found.errors)} files are wrong; the first: {found.errors[0].message}",
                        where=found.errors[0].where, remedy="`headwater validate` lists them all.")  # fmt: skip
    graph = lineage_graph(found.pipelines, defined_connections())
    table = _dotted(table)
    if table not in graph.upstreams:
        near = get_close_matches(table, graph.upstreams, n=5) or sorted(graph.upstreams)
        raise NotFoundError("There is no such table.", got=table, allowed=", ".join(near))
    if as_json:
        print_json({"table": table, "made_of": graph.upstreams[table], "used_by": graph.downstreams(table)})
        return
    console().print(graph.tree(table))


def _dotted(table: str) -> str:
    """Any form of a table's name, such as ``lake.gold.flights__daily_departures``, as people write it."""
    try:
        return TableName.parse(table).dotted
    except ValueError:
        return table
