"""The way out of a closed gate with what it holds: a person's accept (rule 21)."""

from __future__ import annotations

from headwater.domain.base import Value
from headwater.domain.errors import ContractBrokenError, LeaseHeldError, StaleBaseError
from headwater.domain.incident import Incident
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release
from headwater.domain.run import RunKey
from headwater.domain.staging import Verdict
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.context import RunContext, spec_as_planned
from headwater.services.held import held_group
from headwater.services.holding import broken_tables, contract_hash
from headwater.services.leasing import give_back, take_leases
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
    :raises LeaseHeldError: while the run that was held, or another, works on the tables.
    :raises StaleBaseError: when a later run moved a table of the group; run again instead.
    :raises NotFoundError: when nothing of the incident is held any more.
    """
    group = held_group(platform, incident)
    own = next(record for record in group if record.staged.table.dotted == incident.table)
    run = _run_of(platform, incident.pipeline, own)
    verdict = _judged(platform, run, own)
    release = None
    _assert_over(platform, run)
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


def _run_of(platform: Platform, pipeline: str, record: StagedRecord) -> RunContext:
    """The run that was held, with the spec it was planned by: verdicts are bound to that one's contracts."""
    key = RunKey.parse(record.run_key)
    spec = platform.model.load(pipeline)
    planned = spec_as_planned(platform, key, spec.file)
    recorded = platform.runs.run(str(key))
    version = recorded.bundle_version if recorded else None
    return RunContext(spec=planned or spec, run_key=key, holder="accept by a person", bundle_version=version)


def _assert_over(platform: Platform, run: RunContext) -> None:
    """The leases are the run's own: a person who took and freed them would take them from its stages."""
    if not platform.run_states.is_terminal(run.run_key):
        raise LeaseHeldError(
            f"run {run.run_key.run_id} of {run.spec.name} is still at work",
            allowed="a run that has ended",
            remedy="Accept when it has ended; neighbours of the held table go on until then.",
            facts={"pipeline": run.spec.name, "holder": run.run_key.run_id},
        )


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
