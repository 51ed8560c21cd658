"""``impact``: who has to be asked before a table or a column is changed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from headwater.cli.opening import repository
from headwater.cli.output import Json, print_json, print_table
from headwater.domain.errors import NotFoundError
from headwater.domain.names import TableName


def register(app: typer.Typer) -> None:
    app.command()(impact)


def impact(
    table: Annotated[str, typer.Argument(help="Such as silver.flights.flights.")],
    column: Annotated[str | None, typer.Option(help="Only what reads this column.")] = None,
    as_json: Json = False,
) -> None:
    """Tables made of a table or of one of its columns, by the SQL of every pipeline, with who owns them."""
    from headwater.model.changes.comparing import table_names
    from headwater.model.impact import columns_named, readers
    from headwater.model.repository import load_repository

    found = load_repository(repository())
    known = [name.dotted for spec in found.pipelines for name in table_names(spec)]
    if table not in known:
        near = get_close_matches(table, known, n=5) or sorted(known)
        raise NotFoundError("There is no such table.", got=table, allowed=", ".join(near))
    reached = readers(found.pipelines, TableName.parse(table), column)
    if as_json:
        print_json([item.model_dump(mode="json", exclude={"table"}) | {"table": item.table.dotted} for item in reached])
        return
    asked = table if column is None else f"{table}.{column}"
    rows = [
        (item.table.dotted, item.team, ", ".join(item.columns) or "all, rows included", ", ".join(item.through))
        for item in reached
    ]
    nothing = f"Nothing reads {asked}."
    named = ", ".join(columns_named(found.pipelines, table)) if column is not None and not reached else ""
    nothing += f" Of its table these are read: {named}." if named else ""
    print_table(f"Depends on {asked}", ["table", "owner", "columns", "through"], rows, nothing)
