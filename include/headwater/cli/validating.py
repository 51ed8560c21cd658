"""``validate`` and ``schema``: what a source developer asks before anything runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from headwater.adapters.profile import turn_in_force
from headwater.cli.comparing import compare, print_comparisons
from headwater.cli.opening import repository
from headwater.cli.output import Json, console, error_object, print_json
from headwater.domain.errors import SpecError


def register(app: typer.Typer) -> None:
    app.command()(validate)
    app.command()(schema)


Against = Annotated[
    str | None,
    typer.Option(
        help="Also say what the files do to tables that exist: since a commit, or `stored`, the last releases."
    ),
]


def validate(against: Against = None, as_json: Json = False) -> None:
    """Check every YAML, SQL, contract and fixture file, and its practices; 1 when something is wrong.

    With --against also 1 when a run would refuse what changed.
    """
    from headwater.model.documents import Profile
    from headwater.model.repository import load_repository

    turn, unknown = _turn()
    found = load_repository(repository(), Profile(turn=turn), practices=True)
    comparisons = compare(found, against) if against is not None else ()
    if as_json:
        names = [spec.name for spec in found.pipelines]
        answer = {"pipelines": names, "errors": _objects(found.errors), "warnings": _objects(found.warnings, met=False)}
        compared = {"against": against, "comparisons": [item.model_dump(mode="json") for item in comparisons]}
        print_json(answer | (compared if against is not None else {}))
    else:
        for error in found.errors:
            typer.echo(f"error   {error.described() if _is_practice(error) else error}")
        for warning in found.warnings:
            typer.echo(f"warning {warning.described()}")
        tables = sum(len(spec.gold) + len(getattr(spec, "tables", ())) for spec in found.pipelines)
        ids = sorted({spec.connection for spec in found.sources})
        console().print(f"{len(found.pipelines)} pipelines with {tables} tables, {len(found.errors)} errors.")
        console().print(f"Connections not checked: {', '.join(ids) or 'none'} (`headwater connections check`).")
        if unknown is not None:
            console().print(f"No `lease_wait` compared with `maintenance.turn`: {unknown}", soft_wrap=True)
        if against is not None:
            print_comparisons(comparisons, against)
    if found.errors or any(item.refused for item in comparisons):
        raise typer.Exit(1)


def _turn() -> tuple[timedelta | None, str | None]:
    """``maintenance.turn`` of the profile, where there is one; and why it is not known, where there should be.

    Files are checked where a profile's secrets are not: that it cannot be read says nothing against them.
    """
    try:
        return turn_in_force(), None
    except SpecError as error:
        return None, error.placed


def _objects(errors: tuple[SpecError, ...], *, met: bool = True) -> list[dict[str, object]]:
    """Findings for programs; :param met: whether a run would stop at them. Of others no retry can be said anything."""
    objects = []
    for error in errors:
        no_retry = {} if met and not _is_practice(error) else {"retry_helps": None}
        objects.append(error_object(error) | {"practice": error.facts.get("practice")} | no_retry)
    return objects


def _is_practice(error: SpecError) -> bool:
    """Whether only the check minds: a run goes on over what its practices are."""
    return "practice" in error.facts


def schema(
    kind: Annotated[Literal["source", "product"], typer.Argument(help="Which kind of file.")] = "source",
    options: Annotated[
        Literal["sql", "files", "external", "job"] | None,
        typer.Option(help="Print the options of this kind of extract as Markdown."),
    ] = None,
    guides: Annotated[
        Path | None, typer.Option(help="Make the tables of options in the guides of this folder anew.")
    ] = None,
) -> None:
    """Print the JSON schema of a YAML file, for editors; or the options of an extract, for guides."""
    from headwater.model.json_schema import json_schema
    from headwater.model.options import option_table, rewrite_tables

    if guides is not None:
        for path in rewrite_tables(guides):
            typer.echo(f"rewrote {path}")
    elif options is not None:
        typer.echo(option_table(options), nl=False)
    else:
        print_json(json_schema(kind))
