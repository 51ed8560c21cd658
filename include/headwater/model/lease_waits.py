"""How long a run waits for its tables, against how long maintenance may keep them from it (ADR 18)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from headwater.domain.duration import format_duration
from headwater.domain.errors import SpecError
from headwater.model.schedules import Finding

_KEY = "lease_wait"


def lease_wait_findings(wait: timedelta | None, turn: timedelta | None) -> Iterator[Finding]:
    """A wait that ends before the turn it waits for: the run would fail although everything is well.

    :param wait: None: what is built in, longer than any turn can be.
    :param turn: ``maintenance.turn`` of the environment; None where it is not known, which finds nothing.
    """
    if wait is not None and turn is not None and wait <= turn:
        message = "a run would give up while maintenance has its turn at a table"
        allowed = f"more than {format_duration(turn)}, which is `maintenance.turn`, or a shorter turn there"
        yield (_KEY,), message, format_duration(wait), allowed


def too_short_waits(errors: Iterable[SpecError]) -> tuple[SpecError, ...]:
    """Those of the errors that are such findings."""
    return tuple(error for error in errors if error.where is not None and error.where.key == _KEY)
