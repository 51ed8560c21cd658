"""Maintenance of tables, slice by slice, beside running writers (rules 23, 24)."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from headwater.domain.errors import HeadwaterError, LeaseHeldError
from headwater.domain.maintenance import STEPS, MaintenanceSettings, Step, Upkeep
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

log = logging.getLogger(__name__)
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
    steps: Sequence[Step] = STEPS,
    dry_run: bool = False,
) -> Iterator[Upkeep]:
    """Do the steps at one table, each in a slice of its own; a table that a run holds is left, and that is said.

    :raises HeadwaterError: when a step failed; what was readable before is readable still.
    """
    for step in (step for step in STEPS if step in steps):
        started = time.monotonic()
        try:
            with slice_of(platform, table, run_key, holder, dry_run=dry_run) as part:
                found = _WORK[step](part)
        except LeaseHeldError as held:
            yield Upkeep(step=step, table=table.dotted, status="left", note=held.message)
            return
        seconds = round(time.monotonic() - started, 3)
        for item in found or [Upkeep(step=step, table=table.dotted, status="nothing")]:
            yield item.model_copy(update={"seconds": seconds})


def maintain_tables(
    platform: MaintainingPlatform,
    tables: Sequence[TableName],
    *,
    run_key: str,
    holder: str,
    steps: Sequence[Step] | None = None,
    dry_run: bool = False,
    tell: Callable[[Upkeep], None],
) -> tuple[Upkeep, ...]:
    """Maintain tables one after the other; one that fails keeps nothing from its neighbours.

    :param steps: None does all, and looks for orphans where their day has come (``orphans_are_due``).
    :raises HeadwaterError: the first table's error, after all were tried.
    """
    done: list[Upkeep] = []
    failed: list[HeadwaterError] = []
    settings = platform.settings.maintenance
    for table in tables:
        wanted = steps if steps is not None else _due(table, platform.clock.now(), settings)
        try:
            for item in maintain_table(platform, table, run_key=run_key, holder=holder, steps=wanted, dry_run=dry_run):
                done.append(item)
                tell(item)
        except HeadwaterError as error:
            log.warning("%s: %s", table, error)
            failed.append(error)
    if failed:
        raise failed[0]
    return tuple(done)


def maintained_tables(platform: MaintainingPlatform, chosen: Sequence[str] = ()) -> tuple[TableName, ...]:
    """The tables to maintain: those chosen, or all there are.

    :raises ValueError: for a text that is no table.
    """
    return tuple(map(TableName.parse, chosen)) or platform.catalog.list_tables()


def orphans_are_due(table: TableName, now: datetime, settings: MaintenanceSettings) -> bool:
    """Whether this is the table's day: listing a folder costs a job even when there is nothing in it to remove."""
    return (
        zlib.crc32(table.dotted.encode()) % settings.orphans_every_days == now.toordinal() % settings.orphans_every_days
    )


def _due(table: TableName, now: datetime, settings: MaintenanceSettings) -> tuple[Step, ...]:
    return tuple(step for step in STEPS if step != "orphans" or orphans_are_due(table, now, settings))
