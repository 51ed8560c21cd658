"""What a reconciliation found, as an incident with its remedy; equal sides close it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from headwater.domain.extract_errors import SourceDiffersError
from headwater.domain.incident import Failure, Incident
from headwater.domain.reconciliation import Difference, DifferenceKind, Reconciliation
from headwater.domain.spec import SourceSpec
from headwater.ports.incident_store import IncidentStore
from headwater.services.incidents.failure import FailureContext, failure_from_exception

STAGE = "reconcile"
_EXAMPLES = 5


def tell(
    store: IncidentStore,
    report: Callable[[Failure], Incident],
    spec: SourceSpec,
    found: Reconciliation,
    context: FailureContext,
) -> Incident | None:
    """Open or count up the incident of this table, or close it where the sides are equal again.

    A green run closes nothing of it: that a run went well says nothing of rows no run reads.

    :param report: records a failure, and sends its alerts or leaves that to the watchdog.
    """
    error = error_of(spec, found)
    if error is not None:
        return report(failure_from_exception(error, context))
    for incident in store.list(status="open", pipeline=spec.name, limit=1000):
        if (incident.cause, incident.table) == (SourceDiffersError.code, found.table.dotted):
            store.close(incident.id, "source and lake are equal again", found.looked_at)
    return None


def outside_a_run(spec: SourceSpec, found: Reconciliation) -> FailureContext:
    """Where it was seen, when a person asked."""
    instant = f"{found.looked_at:%Y-%m-%dT%H:%M:%S.%f}"
    return FailureContext(
        pipeline=spec.name,
        run_id=f"{STAGE}__{instant}",
        task_id=f"{STAGE}:{found.table.table}",
        seen_at=found.looked_at,
    )


def error_of(spec: SourceSpec, found: Reconciliation) -> SourceDiffersError | None:
    """The failure a comparison means; None where nobody has to act."""
    if found.is_equal:
        return None
    wrong = found.wrong
    counts = ", ".join(f"{count} {kind.value}" for kind, count in found.counts.items() if _is_among(kind, wrong))
    left = (
        f"{found.buckets_left} of {found.buckets} buckets differ and were not looked into" if found.buckets_left else ""
    )
    said = "; ".join(filter(None, (counts, left)))
    return SourceDiffersError(
        f"{found.table} is not what {found.relation} says: {said}",
        got=said,
        allowed="equal rows, below the watermark",
        remedy="Read again what was never read, derive silver again where bronze has it.",
        facts=_facts(spec, found, wrong) | {"differences": said},
    )


def _is_among(kind: DifferenceKind, wrong: Sequence[Difference]) -> bool:
    return any(item.kind is kind for item in wrong)


def _facts(spec: SourceSpec, found: Reconciliation, wrong: Sequence[Difference]) -> dict[str, str]:
    name = found.table.table
    facts = {
        "table": found.table.dotted,
        "table_name": name,
        "relation": found.relation,
        "release": found.release,
        "count": str(len(wrong)),
        "kind": wrong[0].kind.value if wrong else "",
        "why": wrong[0].why if wrong else "",
        "keys": "; ".join(f"{item.kind.value} {key_text(item)}" for item in wrong[:_EXAMPLES]),
    }
    if any(item.mended_by == "read_again" for item in wrong):
        facts |= _window(wrong) or {"read_whole": name}
    if any(item.mended_by == "rebuild" for item in wrong):
        facts["rebuild_table"] = found.table.dotted
    if _is_among(DifferenceKind.SNAPSHOT_TRAP, wrong):
        facts["trapped"] = name
        facts["yaml_line"] = f"tables.{name}.extract: {{mode: snapshot}}"
        facts["cursor"] = str(getattr(spec.table(name).extract, "cursor", ""))
    return facts


def _window(wrong: Sequence[Difference]) -> dict[str, str]:
    """[from, to) of a run that reads every such row again; nothing where their cursor is no time."""
    cursors = [item.cursor for item in wrong if item.mended_by == "read_again"]
    times = [_instant(cursor) for cursor in cursors if cursor is not None]
    known = [time for time in times if time is not None]
    if not known or len(known) < len(cursors):
        return {}
    first, last = min(known).replace(microsecond=0), max(known).replace(microsecond=0)
    # a cursor of type date stands for its whole day
    beyond = (
        timedelta(days=1)
        if all(time == time.replace(hour=0, minute=0, second=0) for time in known)
        else timedelta(seconds=1)
    )
    return {"window_from": f"{first:%Y-%m-%dT%H:%M:%SZ}", "window_to": f"{last + beyond:%Y-%m-%dT%H:%M:%SZ}"}


def _instant(cursor: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cursor).astimezone(UTC) if "T" in cursor else None
    except ValueError:
        return None


def key_text(item: Difference) -> str:
    """A key as people read it."""
    return ", ".join(f"{name}={value}" for name, value in item.key.items())
