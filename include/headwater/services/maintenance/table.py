"""Maintenance of one table, slice by slice, beside running writers (rules 23, 24)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from headwater.domain.errors import LeaseHeldError
from headwater.domain.maintenance import TABLE_STEPS, MaintenanceSettings, Step, Upkeep
from headwater.domain.names import TableName
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.maintenance.files import rewrite_files
from headwater.services.maintenance.slices import Slice, slice_of
from headwater.services.maintenance.steps import (
    drop_dead_branches,
    drop_replaced_tables,
    expire_snapshots,
    remove_orphans,
)
from headwater.services.maintenance.turns import is_overdue, rewrite_in_slices, turn_of

_WORK: Mapping[Step, Callable[[Slice], list[Upkeep]]] = {
    "branches": drop_dead_branches,
    "tables": drop_replaced_tables,
    "files": rewrite_files,
    "snapshots": expire_snapshots,
    "orphans": remove_orphans,
}


def maintain_table(
    platform: MaintainingPlatform,
    table: TableName,
    *,
    run_key: str,
    holder: str,
    steps: Sequence[Step] = TABLE_STEPS,
    dry_run: bool = False,
) -> Iterator[Upkeep]:
    """Do the steps at one table, each in slices of its own; a table that a run holds is left, and that is said.

    One that was left and is overdue gets a turn, in which a run may have to wait (``turns``).

    :raises HeadwaterError: when a step failed; what was readable before is readable still.
    """
    wanted = [step for step in TABLE_STEPS if step in steps]
    step = TABLE_STEPS[0]
    try:
        for step in wanted:
            yield from _worked(step, partial(slice_of, platform, table, run_key, holder, dry_run=dry_run))
        return
    except LeaseHeldError as held:
        is_owed = not dry_run and is_overdue(platform, table)
        yield _left(step, table, held.message + ("; overdue: it waits for its turn" if is_owed else ""))
    if is_owed:
        yield from _in_turn(platform, table, run_key, holder, wanted)


def _in_turn(
    platform: MaintainingPlatform, table: TableName, run_key: str, holder: str, wanted: Sequence[Step]
) -> Iterator[Upkeep]:
    step = TABLE_STEPS[0]
    try:
        with turn_of(platform, table, run_key, holder) as part:
            for step in wanted:
                part.assert_held()
                yield from rewrite_in_slices(part) if step == "files" else _worked(step, lambda: nullcontext(part))
    except LeaseHeldError as held:
        yield _left(step, table, held.message)


def _worked(step: Step, opened: Callable[[], AbstractContextManager[Slice]]) -> Iterator[Upkeep]:
    """Do the step, slice after slice while one was full; a dry run would find the same again."""
    goes_on = True
    while goes_on:
        with opened() as part:
            found = _timed(step, part)
        yield from found
        goes_on = not part.dry_run and _was_full(found, part.platform.settings.maintenance)


def _timed(step: Step, part: Slice) -> list[Upkeep]:
    started = time.monotonic()
    found = _WORK[step](part)
    seconds = round(time.monotonic() - started, 3)
    nothing = Upkeep(step=step, table=part.table.dotted, status="nothing")
    return [item.model_copy(update={"seconds": seconds}) for item in found or [nothing]]


def _was_full(found: Sequence[Upkeep], settings: MaintenanceSettings) -> bool:
    """Whether there are likely more snapshots to let go of than one slice does."""
    return any(item.step == "snapshots" and item.snapshots >= settings.max_slice_snapshots for item in found)


def _left(step: Step, table: TableName, note: str) -> Upkeep:
    return Upkeep(step=step, table=table.dotted, status="left", note=note)
