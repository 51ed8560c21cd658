"""The ways out of a closed gate that a person chooses: accept and discard (rule 21)."""

from __future__ import annotations

from headwater.domain.base import Value
from headwater.domain.errors import ContractBrokenError, NotFoundError, StaleBaseError
from headwater.domain.incident import Incident
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release
from headwater.domain.run import RunKey
from headwater.domain.staging import Verdict
from headwater.ports.platform import Platform
from headwater.ports.run_store import SetAside, StagedRecord
from headwater.services.context import RunContext, spec_as_planned
from headwater.services.holding import broken_tables, contract_hash
from headwater.services.leasing import give_back, take_leases
from headwater.services.quarantined_share import SHARE_CHECK
from headwater.services.stages.publishing import publish_records


class Acceptance(Value):
    """What a person let through, and how it reaches readers.

    :param run_id: the run that was held. Cleared from ``gate`` it goes on: its gold is built, judged, and published
        with the accepted table in one release.
    :param release: bronze is published at once; the next run refines it.
    :param closed_by: tables that keep the publish group closed still; each has its own incident.
    """

    table: TableName
    run_id: str
    gate: str
    release: Release | None = None
    closed_by: tuple[TableName, ...] = ()


def accept(platform: Platform, incident: Incident, by: str, reason: str) -> Acceptance:
    """Open the gate for exactly the held snapshot of an incident's table, in the name of a person (rules 15, 18).

    :param reason: why the data may be shown although a check failed; kept with the verdict.
    :raises ContractBrokenError: when the gate could not judge the table, so that nobody knows what is let through.
    :raises StaleBaseError: when a later run moved a table of the group; run again instead.
    :raises NotFoundError: when nothing of the incident is held any more.
    """
    group = _held_group(platform, incident)
    own = next(record for record in group if record.staged.table.dotted == incident.table)
    run = _run_of(platform, incident.pipeline, own)
    verdict = _judged(platform, run, own)
    release = None
    take_leases(platform, run)
    try:
        for record in group:
            _assert_base_stands(platform, record)
        if not verdict.opens:
            platform.runs.save_verdict(run.key, verdict.model_copy(update={"accepted_by": f"{by}: {reason}"}))
        if own.staged.table.layer is Layer.BRONZE:
            release = publish_records(platform, run, "bronze", [own])
    finally:
        give_back(platform, run)
    return Acceptance(
        table=own.staged.table,
        run_id=run.run_key.run_id,
        gate=f"validate_{own.staged.table.layer}",
        release=release,
        closed_by=() if release else _closed_by(platform, run, group),
    )


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
        # the rows of too large a share are in quarantine already: the word is that they stay there
        predicate = "false" if check.type == SHARE_CHECK else check.predicate or "true"
        item = SetAside(
            table=record.staged.table,
            rule=check.name,
            predicate=predicate,
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
    """The run that was held, with the spec it was planned by: verdicts are bound to that one's contracts."""
    key = RunKey.parse(record.run_key)
    spec = platform.model.load(pipeline)
    planned = spec_as_planned(platform, key, spec.file)
    return RunContext(spec=planned or spec, run_key=key, holder="accept by a person")


def _judged(platform: Platform, run: RunContext, record: StagedRecord) -> Verdict:
    table = record.staged.table
    verdict = platform.runs.verdict(table, record.staged.staged)
    if verdict is not None and verdict.is_decided and verdict.contract_hash == contract_hash(run, table):
        return verdict
    raise ContractBrokenError(
        f"{table} was never judged, so it cannot be accepted",
        got=verdict.reason if verdict is not None else "no verdict for what is held",
        allowed="a verdict that says which checks are broken, by the contract of the run",
        remedy="Clear the run; the gate judges what is staged.",
        facts={"table": table.dotted},
    )


def _closed_by(platform: Platform, run: RunContext, group: tuple[StagedRecord, ...]) -> tuple[TableName, ...]:
    """Other tables of the group that the same run cannot publish: broken by their own gates, or never staged."""
    names = next(names for names in platform.model.publish_groups(run.spec) if group[0].staged.table in names)
    broken = {name for name in broken_tables(platform, run) if name in names}
    for record in group:
        verdict = platform.runs.verdict(record.staged.table, record.staged.staged)
        if verdict is not None and verdict.is_decided and not verdict.opens:
            broken.add(record.staged.table)
    return tuple(name for name in names if name in broken)


def _assert_base_stands(platform: Platform, record: StagedRecord) -> None:
    head = platform.catalog.head(record.staged.table)
    if head is None or head.main != record.staged.base:
        raise StaleBaseError(
            f"{record.staged.table} moved since this was held; accepting it would undo what was published since",
            allowed="main as it was when the batch was staged",
            remedy="Run the pipeline again: a new run covers what was held.",
            facts={"table": record.staged.table.dotted},
        )
