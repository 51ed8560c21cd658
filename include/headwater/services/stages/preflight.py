"""preflight: contracts, connections and the unit tests of the transforms, before anything is read."""

from __future__ import annotations

from headwater.domain.errors import ConnectionMissingError, PreflightError
from headwater.domain.job import JobSpec, TableResult
from headwater.domain.spec import SourceSpec
from headwater.domain.staging import new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.services.context import RunContext
from headwater.services.report import StageReport, TableOutcome


def run(platform: Platform, run: RunContext) -> StageReport:
    """Check what can be checked without reading a row.

    Fixtures run only when the content hash of YAML, SQL, contracts, fixtures and package has not been green before;
    with nothing changed this takes no Spark job.

    :raises ConnectionMissingError: when the source's connection does not exist.
    :raises PreflightError: when a fixture's rows differ; nothing was read.
    """
    failpoint("preflight.begin")
    if isinstance(run.spec, SourceSpec):
        _resolve_connection(platform, run.spec)
    content = platform.model.preflight_hash(run.spec)
    if platform.runs.preflight_green(content):
        return StageReport(stage="preflight", message="transforms unchanged since they were last green")
    tables = platform.model.preflight_tables(run.spec)
    if not tables:
        platform.runs.save_preflight_green(content, platform.clock.now())
        return StageReport(stage="preflight", message="no transform to test")
    job = JobSpec(
        kind="preflight",
        run_key=run.key,
        pipeline=run.spec.name,
        attempt=new_attempt(),
        planned_at=platform.clock.now(),
        preflight=tables,
    )
    results = platform.engine.run(job).tables
    red = [result for result in results if result.status != "green"]
    if red or len(results) != len(tables):
        raise _red(run.spec.name, red)
    platform.runs.save_preflight_green(content, platform.clock.now())
    return StageReport(stage="preflight", outcomes=tuple(_outcome(result) for result in results))


def _resolve_connection(platform: Platform, spec: SourceSpec) -> None:
    try:
        platform.connections.resolve(spec.connection)
    except ConnectionMissingError as error:
        error.facts.setdefault("connection", spec.connection)
        raise


def _outcome(result: TableResult) -> TableOutcome:
    return TableOutcome(table=result.table.dotted, status=result.status, seconds=result.seconds)


def _red(pipeline: str, red: list[TableResult]) -> PreflightError:
    names = ", ".join(result.table.dotted for result in red) or "a table without an answer"
    rows = "\n".join(line for result in red for line in (*result.differences, result.error or "") if line)
    first = red[0] if red else None
    return PreflightError(
        f"the unit tests of {pipeline}'s transforms are red: {names}",
        got=rows or None,
        allowed="exactly the rows the fixture expects",
        remedy="Mend the SQL or the fixture, then clear preflight with everything downstream.",
        facts={**(first.facts if first else {}), "table": first.table.dotted if first else "", "differences": rows},
    )
