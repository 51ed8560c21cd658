"""The ways out of a closed gate that a person chooses: accept and discard (rule 21)."""

from __future__ import annotations

from headwater.domain.errors import ContractBrokenError, NotFoundError, StaleBaseError
from headwater.domain.incident import Incident
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleaseKind
from headwater.domain.run import RunKey
from headwater.ports.platform import Platform
from headwater.ports.run_store import SetAside, StagedRecord
from headwater.services.context import RunContext
from headwater.services.leasing import give_back, take_leases
from headwater.services.stages.publishing import publish_records


def accept(platform: Platform, incident: Incident, by: str, reason: str) -> Release:
    """Publish the held group of an incident as it was judged, in the name of a person.

    :param reason: why the data may be shown although a check failed; kept with the verdict.
    :raises StaleBaseError: when a later run moved a table of the group; run again instead.
    :raises NotFoundError: when nothing of the incident is held any more.
    """
    held = _held_group(platform, incident)
    run = _run_of(platform, incident.pipeline, held[0])
    for record in held:
        verdict = platform.runs.verdict(record.staged.table, record.staged.staged)
        if verdict is None:
            raise ContractBrokenError(
                f"{record.staged.table} was never judged, so it cannot be accepted",
                remedy="Clear the run; the gate judges what is staged.",
                facts={"table": record.staged.table.dotted},
            )
    take_leases(platform, run)
    try:
        for record in held:
            _assert_base_stands(platform, record)
        for record in held:
            verdict = platform.runs.verdict(record.staged.table, record.staged.staged)
            if verdict is not None and not verdict.passed:
                accepted = verdict.model_copy(update={"accepted_by": f"{by}: {reason}"})
                platform.runs.save_verdict(run.key, accepted)
        kind: ReleaseKind = "bronze" if held[0].staged.table.layer is Layer.BRONZE else "audited"
        release = publish_records(platform, run, kind, list(held))
    finally:
        give_back(platform, run)
    platform.incidents.close(incident.id, f"accepted by {by}: {reason}", platform.clock.now())
    return release


def discard(platform: Platform, incident: Incident, by: str, reason: str) -> tuple[SetAside, ...]:
    """Set the offending rows of the held batches aside: the next run diverts them to quarantine and goes on.

    A broken check that judges rows sets aside exactly those rows; one that judges the whole table (a count, an
    average) sets aside the whole batch. Bronze keeps every row; nothing is deleted.

    :raises NotFoundError: when nothing of the incident is held any more.
    """
    held = _held_group(platform, incident)
    made: list[SetAside] = []
    for record in held:
        made += _set_asides(platform, record, by, reason)
    for record in held:
        platform.runs.mark_staged(record.staged.attempt, record.staged.table, "discarded")
        platform.catalog.drop_branches(record.staged.table, [record.staged.branch])
    return tuple(made)


def _set_asides(platform: Platform, record: StagedRecord, by: str, reason: str) -> list[SetAside]:
    if record.staged.table.layer is not Layer.SILVER:
        return []
    verdict = platform.runs.verdict(record.staged.table, record.staged.staged)
    broken = [check for check in verdict.checks if check.outcome == "failed"] if verdict else []
    items = []
    for check in broken:
        item = SetAside(
            table=record.staged.table,
            rule=check.name,
            predicate=check.predicate or "true",
            up_to_batch=record.staged.state.batch,
            up_to_cursor=_watermark(platform, record),
            by=by,
            reason=reason,
        )
        platform.runs.save_set_aside(item)
        items.append(item)
    return items


def _watermark(platform: Platform, record: StagedRecord) -> str | None:
    """How far the source was read when the batch was held."""
    bronze = platform.catalog.head(record.staged.table.model_copy(update={"layer": Layer.BRONZE}))
    return bronze.state.watermark if bronze and bronze.state else None


def _held_group(platform: Platform, incident: Incident) -> tuple[StagedRecord, ...]:
    """The incident's held staging and those of its publish group from the same run."""
    if incident.table is None:
        raise NotFoundError(f"incident {incident.id} is not about a held table", remedy="Follow its steps instead.")
    table = TableName.parse(incident.table)
    own = platform.runs.held(table)
    if not own:
        raise NotFoundError(
            f"nothing of {table} is held any more",
            remedy=f"`uv run headwater runs {incident.pipeline}` shows what became of it.",
            facts={"table": table.dotted},
        )
    newest = own[0]
    if table.layer is Layer.BRONZE:
        return (newest,)
    spec = platform.model.load(incident.pipeline)
    group = next(group for group in platform.model.publish_groups(spec) if table in group)
    members = [record for name in group for record in platform.runs.held(name) if record.run_key == newest.run_key]
    newest_of = {record.staged.table: record for record in reversed(members)}
    return tuple(newest_of[name] for name in group if name in newest_of)


def _run_of(platform: Platform, pipeline: str, record: StagedRecord) -> RunContext:
    key = RunKey.parse(record.run_key)
    return RunContext(spec=platform.model.load(pipeline), run_key=key, holder="accept by a person")


def _assert_base_stands(platform: Platform, record: StagedRecord) -> None:
    head = platform.catalog.head(record.staged.table)
    if head is None or head.main != record.staged.base:
        raise StaleBaseError(
            f"{record.staged.table} moved since this was held; accepting it would undo what was published since",
            allowed="main as it was when the batch was staged",
            remedy="Run the pipeline again: a new run covers what was held.",
            facts={"table": record.staged.table.dotted},
        )
