"""``run``, ``clear``, ``accept``, ``discard``, ``rollback``, ``take-over``, ``incidents``: what an operator does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.awaiting import clear_run, demand_green, open_airflow, run_through_airflow, wait_for_run
from headwater.cli.incident_lookup import clearing_of, known_incident, open_incident
from headwater.cli.incident_view import incident_object, print_incident, print_rows
from headwater.cli.opening import opened_platform, person
from headwater.cli.output import LARGEST_NUMBER, Json, console, print_json, print_table
from headwater.cli.taking_over import take_over
from headwater.cli.turning_back import rollback

if TYPE_CHECKING:
    from pydantic import JsonValue

Number = Annotated[int, typer.Argument(metavar="INCIDENT", help="Number of the incident.", min=1, max=LARGEST_NUMBER)]
Reason = Annotated[str, typer.Option(help="Why; kept with the decision.")]
NOTHING_TO_DECIDE = "Nothing has to be decided; what is held since then has an incident of its own."


def register(app: typer.Typer) -> None:
    for command in (incidents, run, clear, accept, discard, rollback):
        app.command()(command)
    app.command("take-over")(take_over)


def incidents(
    number: Annotated[
        int | None,
        typer.Argument(metavar="[INCIDENT]", help="Show this one in full.", min=1, max=LARGEST_NUMBER),
    ] = None,
    rows: Annotated[bool, typer.Option("--rows", help="Also show the offending rows.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    as_json: Json = False,
) -> None:
    """Open incidents, or one of them with its steps."""
    with opened_platform() as platform:
        if number is None:
            found = platform.incidents.list(status=None if everything else "open")
            if as_json:
                print_json([incident_object(item) for item in found])
                return
            lines = [(i.id, i.status, i.kind, i.pipeline, i.table or "", i.count, i.last_seen, i.title) for i in found]
            columns = ["", "status", "kind", "pipeline", "table", "count", "last seen", "title"]
            print_table("Incidents", columns, lines, "No open incidents.")
            return
        incident = known_incident(platform.incidents, number)
        if as_json:
            print_json(incident_object(incident))
            return
        print_incident(incident)
        if rows:
            print_rows(platform, incident)


def run(
    pipeline: Annotated[str, typer.Argument(help="Source or product.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end; 1 when it is not green.")] = False,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Make every table anew.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only plan; see the log of plan_run.")] = False,
    table: Annotated[list[str] | None, typer.Option(help="Only this table; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Window from (ISO, UTC).")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Window up to, not including (ISO, UTC).")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the run.")] = "",
    as_json: Json = False,
) -> None:
    """Start a run through Airflow."""
    asked: dict[str, JsonValue] = {"full_refresh": full_refresh, "dry_run": dry_run, "reason": reason}
    asked |= {"tables": list(table or ()), "window_from": since, "window_to": until}
    conf = {name: value for name, value in asked.items() if value}
    with opened_platform() as platform:
        ended = run_through_airflow(platform.settings.airflow, pipeline, conf, wait)
    if as_json:
        print_json(ended.model_dump(mode="json"))
    else:
        console().print(f"{ended.dag_id}: run {ended.run_id} is {ended.state}")
    if wait:
        demand_green(ended)


def clear(
    number: Number,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also when the incident is closed.")] = False,
) -> None:
    """Clear the incident's run: every stage looks again, with the files as they are now, and does what is left.

    Of a run beside the chain, as of a reconciliation, what failed in it is done again.
    """
    with opened_platform() as platform:
        incident = known_incident(platform.incidents, number)
        clearing = clearing_of(incident)
        if not again:
            open_incident(
                platform.incidents, number, f"`headwater clear {number} --again` clears its run all the same."
            )
        api = open_airflow(platform.settings.airflow)
        try:
            count = clear_run(api, clearing.dag_id, clearing.run_id, clearing.tasks)
            console().print(f"{count} tasks of {clearing.run_id} cleared")
            found = api.run(clearing.dag_id, clearing.run_id)
            if wait and found is not None:
                demand_green(wait_for_run(api, found))
        finally:
            api.close()


def accept(
    number: Number,
    reason: Reason,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is published.")] = True,
) -> None:
    """Let through what the incident's gate holds, as it is, under your name; its run goes on to gold."""
    from headwater.cli.accepting import go_on
    from headwater.services.accepting import accept as accept_held

    with opened_platform() as platform:
        incident = open_incident(platform.incidents, number, NOTHING_TO_DECIDE)
        acceptance = accept_held(platform, incident, person(), reason)
        console().print(f"{acceptance.table}: accepted by {person()}: {reason}")
        go_on(platform, incident, acceptance, wait=wait)


def discard(number: Number, reason: Reason) -> None:
    """Set the offending rows of what is held aside: the next run diverts them to quarantine, and goes on."""
    from headwater.services.held import discard as discard_held

    with opened_platform() as platform:
        incident = open_incident(platform.incidents, number, NOTHING_TO_DECIDE)
        items = discard_held(platform, incident, person(), reason)
    for item in items:
        console().print(f"{item.table}: rows that break {item.rule!r} are set aside up to batch {item.up_to_batch}")
    if not items:
        console().print(f"{incident.table}: what was held is thrown away; no row was set aside, only silver's can be")
    console().print(f"Now run again: headwater run {incident.pipeline} --wait")
