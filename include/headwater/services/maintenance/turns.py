"""A turn: the table is kept from runs for a bounded time, where giving way to each of them left too much (ADR 18).

A turn is taken when a run lets go of the table, so that between two turns a run has had it: none is delayed twice. It
ends by itself: its lease is never renewed, and a run takes the table over when it has run out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from headwater.domain.errors import LeaseHeldError
from headwater.domain.maintenance import MIB, Upkeep
from headwater.domain.names import TableName
from headwater.ports.upkeep import MaintainingPlatform, TableHistory
from headwater.services.maintenance.files import rewrite_files
from headwater.services.maintenance.rewriting import files_are_overdue
from headwater.services.maintenance.slices import Slice, slice_of

WAIT_IN_TURNS = 5
"""Maintenance waits for a run to let go of the table for so many times the turn."""
LOOK_SECONDS = 0.2
FIRST_FILES, FIRST_BYTES = 100, 256 * MIB
"""The first slice of a turn takes no more; it tells how many the next may take."""


def is_overdue(platform: MaintainingPlatform, table: TableName) -> bool:
    """Whether a table that had to be left is owed a turn: files, or more than a slice of snapshots, piled up."""
    settings = platform.settings.maintenance
    history = platform.upkeep.history(table) if settings.turn else None
    if history is None:
        return False
    since = platform.clock.now() - settings.retention
    old = sum(item.created_at < since for item in history.snapshots)
    return files_are_overdue(history, settings) or old > settings.max_slice_snapshots


@contextmanager
def turn_of(platform: MaintainingPlatform, table: TableName, run_key: str, holder: str) -> Iterator[Slice]:
    """Take the table in the moment its run lets go; whoever wants it then waits for the turn's end (rule 23).

    :raises LeaseHeldError: naming the holder, when no run let go of it in time.
    """
    seconds = platform.settings.maintenance.turn.total_seconds()
    until = time.monotonic() + WAIT_IN_TURNS * seconds
    with ExitStack() as stack:
        while True:
            try:
                part = stack.enter_context(slice_of(platform, table, run_key, holder, ttl_seconds=seconds))
                break
            except LeaseHeldError:
                if time.monotonic() >= until:
                    raise
                time.sleep(LOOK_SECONDS)
        yield part


def rewrite_in_slices(part: Slice) -> Iterator[Upkeep]:
    """Rewrite files slice after slice, each published, until nothing is worth it or half of the turn is over.

    How much is sure to fit is not known before: the first slice is small, and tells how large the next may be.

    :raises LeaseHeldError: when the turn ended in a slice and a run took the table over; earlier slices stay.
    """
    half = time.monotonic() + part.platform.settings.maintenance.turn.total_seconds() / 2
    most = first_files(part.platform.upkeep.history(part.table))
    while most:
        began = time.monotonic()
        found = rewrite_files(replace(part, most_files=most))
        seconds = time.monotonic() - began
        yield from (item.model_copy(update={"seconds": round(seconds, 3)}) for item in found)
        files = sum(item.files for item in found if item.status == "done")
        most = next_files(files, seconds, half - time.monotonic())


def first_files(history: TableHistory | None) -> int:
    """Files of a turn's first slice: a hundred, or fewer large ones."""
    main = history.snapshot(history.main) if history else None
    if main is None:
        return 0
    return max(1, min(FIRST_FILES, FIRST_BYTES * main.data_files // max(main.size_bytes, 1)))


def next_files(files: int, seconds: float, left: float) -> int:
    """What half of the time that is left suffices for, going by the slice before; 0 when that would not fit again."""
    if files == 0 or seconds > left:
        return 0
    return max(files, int(files * left / 2 / max(seconds, 0.001)))
