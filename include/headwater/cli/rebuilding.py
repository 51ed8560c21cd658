"""``rebuild``: derive a silver or gold table again, by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.awaiting import demand_green, run_through_airflow
from headwater.cli.opening import opened_platform
from headwater.cli.output import Json, console, print_json
from headwater.domain.errors import RequestError
from headwater.domain.names import Layer, TableName

if TYPE_CHECKING:
    from pydantic import JsonValue


def register(app: typer.Typer) -> None:
    app.command()(rebuild)


def rebuild(
    table: Annotated[str, typer.Argument(help="Such as silver.flights.flights or gold.flights.daily_departures.")],
    since: Annotated[
        str | None,
        typer.Option("--from", help="Silver: only keys with rows of this batch (17) or date (2026-03-31) or later."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end; 1 when it is not green.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept with the run.")] = "",
    as_json: Json = False,
) -> None:
    """Derive a table again from bronze through Airflow: staged, gated and released like any run."""
    from headwater.services.rebuilding import rebuild_bound

    pipeline = _pipeline(table)
    conf: dict[str, JsonValue] = {"rebuild": [table]}
    if since is not None:
        if table.startswith(f"{Layer.GOLD}."):
            raise RequestError(
                "Gold is always made from all of its inputs.", got=f"--from {since}", allowed="no --from"
            )
        rebuild_bound(since)  # refused here already
        conf["rebuild_from"] = since
    if reason:
        conf["reason"] = reason
    with opened_platform() as platform:
        ended = run_through_airflow(platform.settings.airflow, pipeline, conf, wait)
    if as_json:
        print_json(ended.model_dump(mode="json"))
    else:
        console().print(f"{ended.dag_id}: run {ended.run_id} rebuilds {table}; it is {ended.state}")
    if wait:
        demand_green(ended)


def _pipeline(table: str) -> str:
    """The DAG that writes the table. :raises RequestError: when it is no table that can be derived."""
    try:
        name = TableName.parse(table)
    except ValueError:
        name = None
    if name is None or name.layer not in {Layer.SILVER, Layer.GOLD}:
        allowed = "silver.<source>.<table> or gold.<source or product>.<table>; bronze is what the source gave"
        raise RequestError("This cannot be rebuilt.", got=table, allowed=allowed)
    return name.source
