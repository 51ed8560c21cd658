"""``maintain``: bring files together, let go of what nothing needs, and say what was done or would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from headwater.cli.opening import opened_platform, person
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import HeadwaterError, RequestError
from headwater.domain.maintenance import MIB, Upkeep

if TYPE_CHECKING:
    from collections.abc import Sequence

Tables = Annotated[list[str] | None, typer.Argument(help="Such as bronze.flights.flights; none: every table.")]
Steps = Annotated[list[str] | None, typer.Option("--step", help="Only this step; may be repeated.")]


def register(app: typer.Typer) -> None:
    app.command()(maintain)


def maintain(
    table: Tables = None,
    step: Steps = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Maintain tables beside running writers; 1 when one of them failed.

    Nothing that a release younger than the retention, a run, a held table or a consumer needs is let go. A table that a
    run holds is left for another time.
    """
    from headwater.domain.names import MAINTENANCE
    from headwater.domain.run import RunKey
    from headwater.services.maintenance.leftovers import sweep
    from headwater.services.maintenance.maintaining import chosen_steps, maintain_tables, maintained_tables

    steps = chosen_steps(step or ())
    done: list[Upkeep] = []
    refused: HeadwaterError | None = None
    with opened_platform() as platform:
        key = RunKey(installation=platform.runs.installation(), dag_id=MAINTENANCE, run_id=f"cli__{uuid4()}")
        tables = maintained_tables(platform, table or ())
        try:
            maintain_tables(
                platform, tables, run_key=str(key), holder=f"maintenance by {person()}", steps=steps, dry_run=dry_run,
                tell=done.append,
            )  # fmt: skip
            sweep(platform, tables=table or (), steps=steps, dry_run=dry_run, tell=done.append)
        except RequestError:
            raise
        except HeadwaterError as error:
            refused = error
    if as_json:
        print_json([item.model_dump(mode="json", exclude={"staged"}) for item in done])
    else:
        _print(done, dry_run=dry_run)
    if refused is not None:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1)


def _print(done: Sequence[Upkeep], *, dry_run: bool) -> None:
    rows = [
        (item.table, item.step, item.status, item.branches or None, item.snapshots or None, item.files or None,
         f"{item.size_bytes / MIB:,.1f}" if item.size_bytes else None, item.note)
        for item in done if item.status != "nothing"
    ]  # fmt: skip
    columns = ["table", "step", "", "branches", "snapshots", "files", "MiB", "note"]
    title = "What maintenance would do" if dry_run else "What maintenance did"
    print_table(title, columns, rows, "Nothing needs maintenance.")
    tables = len({item.table for item in done if item.step != "leftovers"})
    console().print(f"{tables} tables looked at")
