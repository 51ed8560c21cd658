"""``check-connection``: which part of a connection fails, and its fix."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.opening import opened_platform, repository
from headwater.cli.output import Json, print_json, print_table
from headwater.domain.spec import connections_of


def register(app: typer.Typer) -> None:
    app.command("check-connection")(check_connection)


def check_connection(
    name: Annotated[str, typer.Argument(help="Connection id, as the YAML names it.")], as_json: Json = False
) -> None:
    """Look at a connection part by part: DNS, TCP, TLS, login, database, grants; 1 when one fails."""
    from headwater.adapters.sources.checking import check_connection as check
    from headwater.model.repository import load_repository

    sources = load_repository(repository()).sources
    tables = [table for source in sources for table in source.tables if name in connections_of(source, table)]
    with opened_platform() as platform:
        found = check(platform.connections.resolve(name), tables)
    if as_json:
        print_json([probe.model_dump() for probe in found])
    else:
        rows = [("ok" if probe.fine else "FAILS", probe.part, probe.found, probe.fix) for probe in found]
        print_table(f"Connection {name}", ["", "part", "found", "to do"], rows, "There is nothing to look at.")
    if not all(probe.fine for probe in found):
        raise typer.Exit(1)
