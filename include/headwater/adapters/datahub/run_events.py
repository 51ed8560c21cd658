"""What DataHub is told about a run: the flow, its stages as jobs, and this run of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from headwater.adapters.datahub.proposals import Event, millis, replace, write_once
from headwater.adapters.datahub.urns import (
    ACTOR,
    ENVIRONMENT,
    ORCHESTRATOR,
    flow_urn,
    group_urn,
    job_urn,
    process_urn,
    upstream_urn,
)
from headwater.domain.lineage import RunFacts, TaskFacts
from headwater.domain.names import Layer

_WRITES = {"extract_to_bronze": Layer.BRONZE, "refine_to_silver": Layer.SILVER, "build_gold": Layer.GOLD}
"""The stage that makes the tables of a layer; the other stages judge, publish or keep the books."""
_RESULTS = {"success": "SUCCESS", "failed": "FAILURE", "skipped": "SKIPPED"}


def flow_events(facts: RunFacts) -> Iterator[Event]:
    """The flow and its jobs, with inlets and outlets patched in so that edges others drew stay."""
    from datahub.metadata import schema_classes as aspects

    flow = flow_urn(facts.pipeline)
    yield replace(
        flow,
        aspects.DataFlowInfoClass(
            name=facts.pipeline, description=facts.description, env=ENVIRONMENT, externalUrl=facts.url
        ),
    )
    group = aspects.OwnerClass(owner=group_urn(facts.owner.team), type="TECHNICAL_OWNER")
    yield write_once(flow, aspects.OwnershipClass(owners=[group]))
    for task in facts.tasks:
        job = aspects.DataJobInfoClass(name=task.task_id, type="COMMAND", flowUrn=flow, env=ENVIRONMENT)
        yield replace(job_urn(facts.pipeline, task.task_id), job)
        yield from _edges(task, facts)


def _edges(task: TaskFacts, facts: RunFacts) -> list[Event]:
    from datahub.specific.datajob import DataJobPatchBuilder

    patch = DataJobPatchBuilder(job_urn(facts.pipeline, task.task_id))
    inlets, outlets = inlets_and_outlets(task.task_id, facts)
    for inlet in inlets:
        patch.add_input_dataset(inlet)
    for outlet in outlets:
        patch.add_output_dataset(outlet)
    return list(patch.build())


def inlets_and_outlets(task_id: str, facts: RunFacts) -> tuple[list[str], list[str]]:
    """Dataset URNs a stage reads and writes, each once and in order."""
    made = [dataset for dataset in facts.datasets if dataset.table.layer == _WRITES.get(task_id)]
    inlets = {upstream_urn(upstream, facts.sources): None for dataset in made for upstream in dataset.upstreams}
    return list(inlets), [dataset.table.urn for dataset in made]


def run_events(facts: RunFacts) -> Iterator[Event]:
    """This run and its stages: when each began and ended, how, and which tables it read and wrote."""
    run = process_urn(facts)
    yield from _instance(run, facts.run_id, facts, flow_urn(facts.pipeline), None)
    yield from _began_and_ended(run, facts.started_at, facts.ended_at, facts.state)
    for task in facts.tasks:
        stage = process_urn(facts, task.task_id)
        yield from _instance(stage, f"{facts.run_id}/{task.task_id}", facts, job_urn(facts.pipeline, task.task_id), run)
        yield from _touched(stage, task, facts)
        if task.started_at and task.ended_at:
            yield from _began_and_ended(stage, task.started_at, task.ended_at, task.state)


def _instance(urn: str, name: str, facts: RunFacts, template: str, parent: str | None) -> Iterator[Event]:
    from datahub.metadata import schema_classes as aspects

    properties = {"run_id": facts.run_id, "run_key": facts.run_key, "release": facts.release or ""}
    yield replace(
        urn,
        aspects.DataProcessInstancePropertiesClass(
            name=name,
            created=aspects.AuditStampClass(time=millis(facts.started_at), actor=ACTOR),
            customProperties=properties,
            externalUrl=facts.url,
            type="BATCH_SCHEDULED",
        ),
    )
    yield replace(
        urn,
        aspects.DataProcessInstanceRelationshipsClass(
            upstreamInstances=[], parentTemplate=template, parentInstance=parent
        ),
    )


def _touched(urn: str, task: TaskFacts, facts: RunFacts) -> Iterator[Event]:
    from datahub.metadata import schema_classes as aspects

    inlets, outlets = inlets_and_outlets(task.task_id, facts)
    if inlets:
        yield replace(urn, aspects.DataProcessInstanceInputClass(inputs=inlets))
    if outlets:
        yield replace(urn, aspects.DataProcessInstanceOutputClass(outputs=outlets))


def _began_and_ended(urn: str, started_at: datetime, ended_at: datetime, state: str) -> Iterator[Event]:
    from datahub.metadata import schema_classes as aspects

    start, end = millis(started_at), millis(ended_at)
    yield replace(urn, aspects.DataProcessInstanceRunEventClass(timestampMillis=start, status="STARTED"))
    result = aspects.DataProcessInstanceRunResultClass(type=_RESULTS[state], nativeResultType=ORCHESTRATOR)
    yield replace(
        urn,
        aspects.DataProcessInstanceRunEventClass(
            timestampMillis=end, status="COMPLETE", result=result, durationMillis=end - start
        ),
    )
