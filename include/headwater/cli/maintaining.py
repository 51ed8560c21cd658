"""``doctor``, ``migrate``, ``watchdog``, ``new-source``, ``evolve``."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.cli.evolving import evolve
from headwater.cli.opening import opened_platform, repository
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import SourceTableMissingError
from headwater.domain.spec import Owner


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(migrate)
    app.command()(watchdog)
    app.command("new-source")(new_source)
    app.command()(evolve)


def doctor(as_json: Json = False) -> None:
    """Check this machine in three seconds: each finding with its fix; 1 when something is missing."""
    from headwater.cli.doctor import examine

    found = examine()
    if as_json:
        print_json([item.model_dump() for item in found])
    else:
        rows = [("✓" if item.fine else "✗", item.what, item.found, "" if item.fine else item.fix) for item in found]
        print_table("This machine", ["", "check", "found", "fix"], rows)
    if not all(item.fine for item in found):
        raise typer.Exit(1)


def migrate() -> None:
    """Bring the run store's database up to date."""
    from headwater.adapters.run_store import migrate as migrate_store

    with opened_platform() as platform:
        migrate_store(platform.settings.run_store.get_secret_value())
    console().print("The run store is up to date.")


def watchdog(as_json: Json = False) -> None:
    """One pass of the watchdog from outside Airflow: find what nobody told, judge freshness, send what waits."""
    from headwater.cli.awaiting import open_airflow
    from headwater.services.incidents.watchdog import run_watchdog

    with opened_platform() as platform:
        api = open_airflow(platform.settings.airflow) if platform.settings.airflow.base_url else None
        try:
            report = run_watchdog(platform.desk(), api, platform.notifiers)
        finally:
            if api is not None:
                api.close()
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    rows = [(name.replace("_", " "), str(value)) for name, value in report.model_dump().items()]
    print_table("Watchdog", ["", ""], rows)


def new_source(
    name: Annotated[str, typer.Argument(help="Name of the source: the YAML's stem, and the DAG.")],
    connection: Annotated[str, typer.Option(help="Connection id to read.")],
    email: Annotated[str, typer.Option(prompt="Mail address that alerts go to", help="Where alerts go.")],
    schema: Annotated[str, typer.Option(help="Only relations of this schema.")] = "public",
    table: Annotated[list[str] | None, typer.Option(help="Only this table; may be repeated.")] = None,
    owner: Annotated[str, typer.Option(help="Team that owns the source.")] = "data-platform",
) -> None:
    """Write YAML and contracts for what a connection offers; they pass `headwater validate` at once."""
    from headwater.adapters.sources.opening import open_extractor
    from headwater.cli.scaffold import probe_table, write_source

    with opened_platform() as platform:
        extractor = open_extractor(probe_table(), platform.connections.resolve(connection))
        try:
            relations = extractor.list_relations()
        finally:
            extractor.close()
    wanted = [r for r in relations if r.relation.split(".")[0] == schema]
    chosen = [r for r in wanted if not table or r.relation.split(".")[-1] in table]
    if not chosen:
        allowed = ", ".join(item.relation for item in relations) or "nothing: the login can read no table"
        raise SourceTableMissingError("The connection offers no such table.", got=f"{schema}.*", allowed=allowed)
    for path in write_source(repository(), name, connection, Owner(team=owner, email=(email,)), chosen):
        console().print(f"wrote {path}")
    console().print("Next: headwater validate")
