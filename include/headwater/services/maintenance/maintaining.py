"""Maintenance of tables, one after the other: which, what of it is due, and what is told when one fails."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime

from headwater.domain.errors import (
    CatalogError,
    EngineError,
    HeadwaterError,
    RequestError,
    RunStoreError,
)
from headwater.domain.maintenance import STEPS, TABLE_STEPS, MaintenanceSettings, Step, Upkeep
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.names import MAINTENANCE, TableName
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.maintenance.table import maintain_table

log = logging.getLogger(__name__)
_OF_ALL_TABLES = (CatalogError, EngineError, RunStoreError)
"""Failures that the next table would meet, too."""


def maintain_tables(
    platform: MaintainingPlatform,
    tables: Sequence[TableName],
    *,
    run_key: str,
    holder: str,
    steps: Sequence[Step] | None = None,
    dry_run: bool = False,
    tell: Callable[[Upkeep], None],
) -> None:
    """Maintain tables one after the other, and tell of each slice; a table that fails keeps nothing from the others.

    :param steps: None does all, and looks for orphans where their day has come (``orphans_are_due``).
    :raises MaintenanceError: the first table's, after all were tried; at once when engine, catalog or run store failed.
    """
    failed: list[MaintenanceError] = []
    for table in tables:
        wanted = steps if steps is not None else _due(table, platform.clock.now(), platform.settings.maintenance)
        try:
            for item in maintain_table(platform, table, run_key=run_key, holder=holder, steps=wanted, dry_run=dry_run):
                tell(item)
        except HeadwaterError as error:
            failed.append(_explained(table, error))
            tell(Upkeep(step=wanted[0], table=table.dotted, status="failed", note=error.message))
            if isinstance(error, _OF_ALL_TABLES):
                raise failed[-1] from error
            log.warning("%s", failed[-1])
    if failed:
        raise failed[0]
    if not dry_run:
        _close_incidents(platform, {None, *(table.dotted for table in tables)})


def _close_incidents(platform: MaintainingPlatform, tables: set[str | None]) -> None:
    """What was told of these tables' maintenance, or of none in particular, is mended: all of it went through."""
    for incident in platform.incidents.list(status="open", pipeline=MAINTENANCE, limit=1000):
        if incident.table in tables:
            platform.incidents.close(incident.id, "maintained since", platform.clock.now())


def maintained_tables(platform: MaintainingPlatform, chosen: Sequence[str] = ()) -> tuple[TableName, ...]:
    """The tables to maintain: those chosen, or all there are.

    :raises RequestError: when one of those chosen is none.
    """
    there = platform.catalog.list_tables()
    known = {table.dotted: table for table in there}
    for name in chosen:
        if name not in known:
            raise RequestError(
                "there is no such table", got=name, allowed="<layer>.<source>.<table> of a table that exists",
                remedy="`uv run headwater tables` lists those that were released.",
            )  # fmt: skip
    return tuple(known[name] for name in chosen) or there


def chosen_steps(names: Sequence[str]) -> tuple[Step, ...] | None:
    """The steps of these names, or None for what is due. :raises RequestError: when one of them is no step."""
    for name in names:
        if name not in STEPS:
            raise RequestError("there is no such step", got=name, allowed=", ".join(STEPS))
    return tuple(step for step in STEPS if step in names) or None


def orphans_are_due(table: TableName, now: datetime, settings: MaintenanceSettings) -> bool:
    """Whether this is the table's day: listing a folder costs a job even when there is nothing in it to remove."""
    return (
        zlib.crc32(table.dotted.encode()) % settings.orphans_every_days == now.toordinal() % settings.orphans_every_days
    )


def _due(table: TableName, now: datetime, settings: MaintenanceSettings) -> tuple[Step, ...]:
    return tuple(step for step in TABLE_STEPS if step != "orphans" or orphans_are_due(table, now, settings))


def _explained(table: TableName, error: HeadwaterError) -> MaintenanceError:
    """The failure as one of maintenance, whose runbook fits: none of a run's steps would mend it."""
    if isinstance(error, MaintenanceError):
        return error
    facts = {**error.facts, "table": table.dotted}
    return MaintenanceError(f"{table}: {error.message}", error.where, error.got, error.allowed, error.remedy, facts)
