"""``reconcile``: what a source holds against what readers see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.opening import opened_platform
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import HeadwaterError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headwater.adapters.platform import LocalPlatform
    from headwater.domain.incident import Failure, Incident
    from headwater.domain.reconciliation import Reconciliation
    from headwater.domain.spec import SourceSpec

_SHOWN = 50


def register(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    source: Annotated[str, typer.Argument(help="Such as flights.")],
    table: Annotated[list[str] | None, typer.Option(help="Only this table; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Compare a source's tables with the released ones, key by key; 1 when rows are lost, altered or never read.

    Hashes are computed where the rows are. An incident is opened for a table that differs, and closed by the
    comparison that finds it equal again.
    """
    from headwater.domain.reconciliation import compared_tables
    from headwater.domain.spec import SourceSpec

    found: dict[str, Reconciliation | HeadwaterError] = {}
    incidents: dict[str, Incident | None] = {}
    with opened_platform() as platform:
        spec = platform.model.load(source)
        if not isinstance(spec, SourceSpec):
            raise NotFoundError(f"{source} is a product; only sources are compared.", got=source)
        for name in table or compared_tables(spec):
            try:
                found[name], incidents[name] = _compared(platform, spec, name)
            except HeadwaterError as error:
                # one table that cannot be compared keeps nothing of its neighbours from being told
                found[name] = error
    results = [item for item in found.values() if not isinstance(item, HeadwaterError)]
    refused = [item for item in found.values() if isinstance(item, HeadwaterError)]
    if as_json:
        print_json([_object(item, incidents[item.table.table]) for item in results])
    else:
        print_reconciliations(results)
        for incident in filter(None, incidents.values()):
            console().print(f"Incident {incident.id}: uv run headwater incidents {incident.id}")
    for refusal in refused:
        typer.echo(str(refusal), err=True)
    if refused or not all(item.is_equal for item in results):
        raise typer.Exit(1)


def _compared(platform: LocalPlatform, spec: SourceSpec, name: str) -> tuple[Reconciliation, Incident | None]:
    """One table, and the incident that is open for it now."""
    from headwater.adapters.reconciling import OpenedSides
    from headwater.services.reconciling.reconciliation import reconcile_table
    from headwater.services.reconciling.telling import outside_a_run, tell

    def report(failure: Failure) -> Incident:
        # told on this screen already; the watchdog sends it to those who are not looking
        return platform.desk().report(failure)[0]

    sides = OpenedSides(platform.connections, platform.settings.catalog.s3)
    result = reconcile_table(platform.runs, sides, platform.clock, spec, name)
    return result, tell(platform.incidents, report, spec, result, outside_a_run(spec, result))


def print_reconciliations(found: Sequence[Reconciliation]) -> None:
    """A line per table, then a line per key that differs, then what was not compared."""
    rows = [
        (item.table, item.source_rows, item.lake_rows, item.unread_rows, item.rows_read, item.verdict, item.seconds)
        for item in found
    ]
    columns = ["table", "at the source", "in the lake", "not read yet", "looked at", "differences", "s"]
    print_table("Reconciled", columns, rows, "No table of this source can be compared.")
    for item in found:
        lines = [
            (difference.kind.value, _key(difference.key), difference.cursor, difference.mended_by, difference.why)
            for difference in item.differences[:_SHOWN]
        ]
        if lines:
            more = f", the first {_SHOWN} of {len(item.differences)}" if len(item.differences) > _SHOWN else ""
            print_table(f"{item.table}{more}", ["class", "key", "cursor", "mended by", "why"], lines)
        for name, why in item.left_out.items():
            console().print(f"{item.table}: column {name} is not compared: {why}", markup=False, highlight=False)


def _key(key: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in key.items())


def _object(result: Reconciliation, incident: Incident | None) -> dict[str, Any]:
    counts = {kind.value: count for kind, count in result.counts.items()}
    document = result.model_dump(mode="json") | {"table": result.table.dotted, "compared": result.compared.dotted}
    return document | {"counts": counts, "equal": result.is_equal, "incident": incident.id if incident else None}
