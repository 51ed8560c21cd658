"""What DataHub is told about quality: one assertion per check of a contract, and what it found this time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from headwater.adapters.datahub.proposals import Event, millis, replace
from headwater.adapters.datahub.urns import check_urn, field_urn
from headwater.domain.lineage import DatasetFacts, RunFacts
from headwater.domain.staging import CheckResult, Verdict

_RESULTS = {"passed": "SUCCESS", "warned": "SUCCESS", "failed": "FAILURE", "not_evaluated": "ERROR"}


def quality_events(dataset: DatasetFacts, facts: RunFacts) -> Iterator[Event]:
    """Assertions of the table's verdict. A check that could not be evaluated is an error, never a success.

    Examples of offending rows stay out: a catalogue of metadata is no place for values.
    """
    verdict = dataset.verdict
    if verdict is None:
        return
    for check in verdict.checks:
        if check.outcome == "excluded":
            continue
        urn = check_urn(dataset.table, check.path or f"{check.type}:{check.column or ''}:{check.name}")
        yield from _assertion(urn, check, dataset)
        yield _outcome(urn, check, dataset, verdict, facts)


def _assertion(urn: str, check: CheckResult, dataset: DatasetFacts) -> Iterator[Event]:
    from datahub.metadata import schema_classes as aspects

    table = dataset.table.urn
    custom = aspects.CustomAssertionInfoClass(
        type=check.type,
        entity=table,
        field=field_urn(table, check.column) if check.column else None,
        logic=check.threshold or None,
    )
    yield replace(
        urn,
        aspects.AssertionInfoClass(
            type="CUSTOM",
            customAssertion=custom,
            description=check.name,
            entityUrn=table,
            source=aspects.AssertionSourceClass(type="EXTERNAL"),
            customProperties={"headwater.path": check.path},
        ),
    )
    yield replace(urn, aspects.DataPlatformInstanceClass(platform="urn:li:dataPlatform:soda"))


def _outcome(urn: str, check: CheckResult, dataset: DatasetFacts, verdict: Verdict, facts: RunFacts) -> Event:
    from datahub.metadata import schema_classes as aspects

    judged_at: datetime = verdict.judged_at or facts.ended_at
    native = {
        "outcome": check.outcome,
        "measured": check.measured,
        "threshold": check.threshold,
        "snapshot_id": verdict.snapshot_id,
        "accepted_by": verdict.accepted_by,
    }
    result = aspects.AssertionResultClass(
        type=_RESULTS[check.outcome],
        rowCount=check.rows_tested,
        unexpectedCount=check.rows_failed,
        actualAggValue=check.measured,
        nativeResults={key: str(value) for key, value in native.items() if value not in (None, "")},
    )
    if check.outcome == "not_evaluated":
        result.error = aspects.AssertionResultErrorClass(
            type="UNKNOWN_ERROR", properties={"message": verdict.reason or "the check could not be evaluated"}
        )
    return replace(
        urn,
        aspects.AssertionRunEventClass(
            timestampMillis=millis(judged_at),
            runId=facts.run_key,
            asserteeUrn=dataset.table.urn,
            status="COMPLETE",
            assertionUrn=urn,
            result=result,
        ),
    )
