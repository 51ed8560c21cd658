"""What a run was asked to derive again, and what its files ask for (rules 4, 9, 14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from headwater.domain.change import Effect
from headwater.domain.errors import RequestError
from headwater.domain.job import Anew
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunPlan, RunRequest, TablePlan, Window
from headwater.ports.platform import Platform
from headwater.services.context import RunContext

_LONGEST_BATCH = 7
"""Digits; eight are a date without its hyphens."""
NOTHING_READ = Window(kind="nothing", note="a rebuild reads nothing from the source")


def rebuild_bound(text: str) -> int | datetime:
    """Read ``17`` (a batch) or ``2026-03-31`` (an instant, UTC where no zone is given).

    :raises RequestError: when it is neither.
    """
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_BATCH:
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused("rebuild_from", repr(text)[:80], "a batch (17) or an instant (2026-03-31T00:00:00Z)") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def check_rebuild(run: RunContext, request: RunRequest) -> None:
    """:raises RequestError: when the run is to rebuild what it cannot, or to do something else besides."""
    if not request.rebuild:
        if request.rebuild_from is not None:
            raise _refused("rebuild_from", str(request.rebuild_from), "nothing, or with rebuild the table it concerns")
        return
    own = [table.dotted for layer in (Layer.SILVER, Layer.GOLD) for table in run.tables(layer)]
    for dotted in request.rebuild:
        if dotted not in own:
            raise _refused("rebuild", dotted, ", ".join(own))
        if request.rebuild_from is not None and TableName.parse(dotted).layer is Layer.GOLD:
            allowed = "rebuild_from for silver tables; gold is always made from all of its inputs"
            raise _refused("rebuild_from", dotted, allowed)
    if request.full_refresh or request.window_from or request.window_to or request.tables:
        raise _refused("rebuild", "together with a window, tables or a full refresh", "rebuild by itself")


def check_bound(
    platform: Platform, run: RunContext, request: RunRequest, plans: Sequence[TablePlan], planned_at: datetime
) -> None:
    """:raises RequestError: when nothing can lie behind the bound; a green run would have derived nothing again."""
    since = request.rebuild_from
    if isinstance(since, datetime) and since > planned_at:
        raise _refused("rebuild_from", since.isoformat(), f"an instant up to now, {planned_at.isoformat()}")
    named = {TableName.parse(dotted).table for dotted in request.rebuild}
    for plan in plans:
        if plan.table in named and isinstance(since, int) and since >= plan.batch:
            raise _refused("rebuild_from", f"batch {since} of {plan.table}", f"a batch up to {plan.batch - 1}")
        read_at = _last_read(platform, run.spec.name_of(Layer.BRONZE, plan.table)) if plan.table in named else None
        if isinstance(since, datetime) and read_at is not None and since > read_at:
            allowed = f"an instant up to {read_at.isoformat()}, when its last batch was read"
            raise _refused("rebuild_from", f"{since.isoformat()} of {plan.table}", allowed)


def _last_read(platform: Platform, bronze: TableName) -> datetime | None:
    """When the newest batch was read (rule 26); None where nothing was, or the run store no longer knows."""
    head = platform.catalog.head(bronze)
    plan = platform.runs.plan(head.state.run_key) if head is not None and head.state is not None else None
    return plan.planned_at if plan is not None else None


def asked_anew(plan: RunPlan, table: TableName) -> Anew | None:
    """How far back a silver table is derived again in this run; None where it goes on from where it is.

    A change of its files concerns all rows, whatever bound a person gave.
    """
    if any(change.table == table and change.effect is Effect.REBUILD for change in plan.changes):
        return Anew()
    if table.dotted in plan.request.rebuild:
        since = plan.request.rebuild_from
        if isinstance(since, datetime):
            return Anew(since=since)
        return Anew(after_batch=max(0, (since or 0) - 1))
    return None


def takes_new_table(plan: RunPlan, table: TableName) -> bool:
    """Whether a change of its files takes the table a new physical table, swapped in at publish (rule 14)."""
    return any(change.table == table and change.reshapes for change in plan.changes)


def is_asked(plan: RunPlan, table: TableName) -> bool:
    """Whether the run may touch the table: a rebuild leaves the silver alone that nobody named."""
    return not plan.request.rebuild or table.layer is not Layer.SILVER or table.dotted in plan.request.rebuild


def _refused(name: str, got: str, allowed: str) -> RequestError:
    return RequestError(
        f"parameter {name}: this cannot be rebuilt" if name == "rebuild" else f"parameter {name} does not fit",
        got=got,
        allowed=allowed,
        remedy="Trigger the DAG again with that parameter corrected; nothing was read or written.",
        facts={"parameter": name},
    )
