"""``offload``: history that leaves an operational database, once readers see every row of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.opening import opened_platform
from headwater.cli.output import Json, console, print_json, print_table
from headwater.domain.errors import NotFoundError

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform
    from headwater.domain.offload import OffloadReport
    from headwater.domain.spec import SourceSpec


def register(app: typer.Typer) -> None:
    app.command()(offload)


def offload(
    table: Annotated[str, typer.Argument(metavar="SOURCE.TABLE", help="Such as shop.orders.")],
    before: Annotated[str, typer.Option(help="Rows with a cursor below this: 2020-01-01, or a number.")],
    read: Annotated[bool, typer.Option("--read/--no-read", help="Read what the lake lacks by a run first.")] = True,
    as_json: Json = False,
) -> None:
    """Bring a table's history into the lake, verify it range by range, and say what can be purged; 1 when not all.

    Nothing is ever deleted here: the report has the statements, only of ranges that were verified.
    """
    source, _, name = table.partition(".")
    with opened_platform() as platform:
        report = offloaded(platform, source, name, before, read, quiet=as_json)
    if as_json:
        print_json(_object(report))
    else:
        print_report(report)
    if not report.is_verified:
        raise typer.Exit(1)


def offloaded(
    platform: LocalPlatform, source: str, name: str, before: str, read: bool, *, quiet: bool = False
) -> OffloadReport:
    """Verify; read by a run of the chain what is not there yet, and verify again."""
    from headwater.adapters.reconciling import OffloadedSides
    from headwater.domain.spec import SourceSpec
    from headwater.ports.extractor import unheard
    from headwater.services.offloading import offload_table, offloadable, stored_report

    spec = platform.model.load(source)
    if not isinstance(spec, SourceSpec):
        raise NotFoundError(f"{source} is a product; only tables of sources leave a database.", got=source)
    offloadable(spec, name)
    sides, told = OffloadedSides(platform.connections, platform.settings.catalog.s3), unheard if quiet else typer.echo
    report = None
    try:
        report = offload_table(platform.runs, sides, platform.clock, spec, name, before, told)
    except NotFoundError:
        if not read:
            raise
    if read and (report is None or not report.is_verified):
        _read(platform, spec, name, before, report)
        report = offload_table(platform.runs, sides, platform.clock, spec, name, before, told)
    if report is None:
        raise NotFoundError(f"nothing of {source}.{name} was released yet")
    return stored_report(platform.catalog, spec, report)


def _read(platform: LocalPlatform, spec: SourceSpec, name: str, before: str, report: OffloadReport | None) -> None:
    """A backfill of the chain, and no further before it is green."""
    from headwater.cli.awaiting import demand_green, run_through_airflow
    from headwater.services.offload_runs import run_to_read

    conf = run_to_read(spec.name, name, before, report)
    demand_green(run_through_airflow(platform.settings.airflow, spec.name, conf, wait=True))


def print_report(report: OffloadReport) -> None:
    """A line per range, then the statements."""
    rows = [
        (item.low or "first", item.high, item.rows, item.lake_rows, item.checksum[:16],
         "yes" if item.verified else "NO", item.why)
        for item in report.ranges
    ]  # fmt: skip
    columns = ["above", "up to", "at the source", "in the lake", "checksum", "verified", ""]
    print_table(f"{report.table} before {report.before}", columns, rows, "The source has no row before that.")
    if report.partitions:
        print_partitions(report)
    for item in report.verified:
        typer.echo(item.purge)
    console().print(report.line, markup=False, highlight=False)
    console().print(f"Report: {report.stored}", markup=False, highlight=False)


def print_partitions(report: OffloadReport) -> None:
    """A line per partition, then the statements by which those that are covered leave as a whole."""
    rows = [(item.name, item.rows, "yes" if item.is_covered else "NO", item.why) for item in report.partitions]
    print_table("partitions with rows before it", ["partition", "rows", "covered", ""], rows, "")
    for item in report.partitions:
        if item.is_covered:
            typer.echo(f"{item.detach}\n-- once nothing misses it:\n-- {item.drop}")


def _object(report: OffloadReport) -> dict[str, Any]:
    names = {"table": report.table.dotted, "compared": report.compared.dotted}
    return report.model_dump(mode="json") | names | {"rows": report.rows, "verified": report.is_verified}
