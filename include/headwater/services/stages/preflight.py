"""preflight: contracts, connections and the unit tests of the transforms, before anything is read."""

from __future__ import annotations

from headwater.domain.errors import ConnectionMissingError, PreflightError
from headwater.domain.job import JobSpec, PreflightTable, TableResult
from headwater.domain.spec import SourceSpec, connections_of
from headwater.domain.staging import new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.services.context import RunContext
from headwater.services.report import StageReport, TableOutcome


def run(platform: Platform, run: RunContext) -> StageReport:
    """Check what can be checked without reading a row.

    A table's fixtures run only when the hash over its YAML, SQL, contract and fixtures, the installed code and the lock
    has not been green before; with nothing changed this takes no Spark job.

    :raises ConnectionMissingError: when the source's connection does not exist.
    :raises PreflightError: when a fixture's rows differ; nothing was read.
    """
    failpoint("preflight.begin")
    if isinstance(run.spec, SourceSpec):
        _resolve_connection(platform, run.spec)
    hashes = platform.model.preflight_hashes(run.spec)
    changed = {table: content for table, content in hashes.items() if not platform.runs.preflight_green(content)}
    if not changed:
        message = "transforms unchanged since they were last green" if hashes else "no transform to test"
        return StageReport(stage="preflight", message=message)
    results = run_fixtures(platform, run.spec.name, run.key, platform.model.preflight_tables(run.spec, changed))
    for result in results:
        if result.status == "green":
            platform.runs.save_preflight_green(changed[result.table], platform.clock.now())
    if any(result.status != "green" for result in results) or len(results) != len(changed):
        raise _red(run.spec.name, [result for result in results if result.status != "green"])
    quiet = tuple(TableOutcome(table=table.dotted, status="unchanged") for table in hashes if table not in changed)
    return StageReport(stage="preflight", outcomes=(*(_outcome(result) for result in results), *quiet))


def run_fixtures(
    platform: Platform, pipeline: str, run_key: str, tables: tuple[PreflightTable, ...]
) -> tuple[TableResult, ...]:
    """The unit tests of these tables in one Spark job. :raises EngineError: when Spark gave no answer."""
    job = JobSpec(
        kind="preflight",
        run_key=run_key,
        pipeline=pipeline,
        attempt=new_attempt(),
        planned_at=platform.clock.now(),
        preflight=tables,
    )
    return platform.engine.run(job).tables


def _resolve_connection(platform: Platform, spec: SourceSpec) -> None:
    used = (name for table in spec.tables for name in connections_of(spec, table))
    for name in dict.fromkeys(used):
        try:
            platform.connections.resolve(name)
        except ConnectionMissingError as error:
            error.facts.setdefault("connection", name)
            raise


def _outcome(result: TableResult) -> TableOutcome:
    return TableOutcome(table=result.table.dotted, status=result.status, seconds=result.seconds)


def _red(pipeline: str, red: list[TableResult]) -> PreflightError:
    names = ", ".join(result.table.dotted for result in red) or "a table without an answer"
    rows = [line for result in red for line in (*result.differences, result.told) if line]
    first = red[0] if red else None
    return PreflightError(
        f"the unit tests of {pipeline}'s transforms are red: {names}",
        got="\n".join(rows) or None,
        allowed="exactly the rows the fixture expects",
        remedy="Mend the SQL or the fixture, then clear preflight with everything downstream.",
        facts={
            **(first.facts if first else {}),
            "table": first.table.dotted if first else "",
            "differences": "; ".join(rows),
        },
    )
