"""Sweeping what killed processes left beside the tables: only what is old, and what nobody can come for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from headwater.domain.errors import HeadwaterError
from headwater.domain.maintenance import Step, Upkeep
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.run import RunKey
from headwater.ports.leftovers import LeftBehind
from headwater.ports.upkeep import MaintainingPlatform
from headwater.services.leases import gives_way
from headwater.services.maintenance.needing import needed
from headwater.services.maintenance.orphans import plain

SWEEPING: Step = "leftovers"


def sweep(
    platform: MaintainingPlatform,
    *,
    tables: Sequence[str],
    steps: Sequence[Step] | None,
    dry_run: bool,
    tell: Callable[[Upkeep], None],
) -> None:
    """Sweep, unless only some tables or other steps were asked for: leftovers are of no table in particular.

    :raises MaintenanceError: when storage, catalog or run store failed; what was removed until then nobody needed.
    """
    if tables or (steps is not None and SWEEPING not in steps):
        return
    try:
        for item in _swept(platform, dry_run=dry_run):
            tell(item)
    except HeadwaterError as error:
        facts = {**error.facts, "step": SWEEPING}
        raise MaintenanceError(
            f"sweeping what killed processes left: {error.message}", error.where, error.got, error.allowed,
            error.remedy, facts,
        ) from error  # fmt: skip


def _swept(platform: MaintainingPlatform, *, dry_run: bool) -> Iterator[Upkeep]:
    for store in platform.leftovers:
        for left in store.found():
            now = platform.clock.now()
            if left.written_at > now - platform.settings.maintenance.orphan_age:
                continue  # as that of a run at work, about which there is nothing to tell
            told = Upkeep(
                step=SWEEPING,
                table=left.location or left.place,
                status="would",
                files=left.files,
                size_bytes=left.size_bytes,
            )
            why = why_needed(platform, left, now)
            if why:
                yield told.model_copy(update={"status": "left", "note": why})
            elif dry_run:
                yield told
            elif store.remove(left):
                yield told.model_copy(update={"status": "done"})


def why_needed(platform: MaintainingPlatform, left: LeftBehind, now: datetime) -> str:
    """Who may still come for it, in words; empty when nobody can (rules 21, 29, 41)."""
    for text in left.run_keys:
        if not gives_way(platform.run_states, RunKey.parse(text)):
            return f"run {RunKey.parse(text).run_id} of {RunKey.parse(text).dag_id} is not over"
    if left.is_referenced:
        return "the catalog points into it"
    if left.table is None:
        return ""
    asked = needed(platform.runs, left.table, now - platform.settings.maintenance.retention)
    inside = f"{plain(left.location)}/"
    if any(plain(path).startswith(inside) for path in asked.paths):
        return "a release or what is held names a file in it"
    return "an attempt that waits works in it" if any(item in left.location for item in asked.attempts) else ""
