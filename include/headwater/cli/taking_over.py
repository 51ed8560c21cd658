"""``take-over``: an operator's word that whoever holds a pipeline's tables is dead (rule 23)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.listing import demand_known
from headwater.cli.opening import opened_platform, person
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headwater.ports.platform import Platform
    from headwater.ports.run_store import Lease


def take_over(
    pipeline: Annotated[str, typer.Argument(help="Source or product whose tables are held.")],
    reason: Annotated[str, typer.Option(help="How you know that the writer is dead; kept with its run.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; what would be given away is printed.")] = False,
    as_json: Json = False,
) -> None:
    """Free tables of a dead writer by your word, where Airflow cannot say that its run is over; it asks before.

    A lease that is still renewed is refused. Where nothing is held, nothing is done.
    """
    from headwater.services.taking_over import held_of, run_out
    from headwater.services.taking_over import take_over as take

    with opened_platform() as platform:
        dead = run_out(platform, held_of(platform, pipeline))
        if not dead:
            demand_known(pipeline)
        elif not as_json:
            _show(platform, dead)
        if dead and not yes:
            _ask(dead, as_json=as_json)
        if dead:
            take(platform, pipeline, dead, person(), reason)
    if as_json:
        print_json([lease.model_dump(mode="json") for lease in dead])
        return
    if not dead:
        console().print(f"Nothing of {pipeline} is held: no word is needed.")
        return
    console().print(f"Free now: {_names(dead)}. A run that waits for them goes on by itself.")
    console().print("What the dead run still tries to publish is refused. Where Airflow shows it as running, end it.")


def _show(platform: Platform, dead: Sequence[Lease]) -> None:
    from headwater.domain.run import RunKey

    over = {key: platform.run_states.is_terminal(RunKey.parse(key)) for key in {lease.run_key for lease in dead}}
    rows = [
        (lease.table, lease.holder, lease.heartbeat_at, lease.expires_at, "over" if over[lease.run_key] else "not over")
        for lease in dead
    ]
    print_table("Held by a writer that renews no more", ["table", "held by", "renewed", "ran out", "its run is"], rows)


def _ask(dead: Sequence[Lease], *, as_json: bool) -> None:
    """:raises RequestError: when there is nobody to ask. :raises typer.Abort: when the answer is no."""
    if as_json or not sys.stdin.isatty():
        raise RequestError(
            "Tables would be given away, and nobody can be asked here.",
            got=_names(dead),
            allowed="a terminal, or --yes",
            remedy="Make sure that the writer's process is gone, then say it again with --yes.",
        )
    typer.confirm("Is its process gone, and is all of this to be given away?", abort=True)


def _names(leases: Sequence[Lease]) -> str:
    return ", ".join(lease.table for lease in leases)
