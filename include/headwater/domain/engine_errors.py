"""What a cluster says no to, and what it has not ended yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import AwareDatetime

from headwater.domain.base import Value
from headwater.domain.errors import EngineError


class DriverAtWork(Value):
    """A driver that works although nobody stands by.

    :param application: what tells it from others, as its cluster has it.
    """

    attempt: str
    application: dict[str, str]
    run_key: str
    starts_by: AwareDatetime
    """It is given up when it has not started by then."""
    until: AwareDatetime
    """It is given up when it has not ended by then."""


@dataclass(slots=True)
class StageRunningError(EngineError):
    """A driver is at work: no failure. ``driver`` says what to wait for; then run the stage again."""

    driver: DriverAtWork | None = field(default=None, kw_only=True)

    retry_helps = True


class EngineRefusedError(EngineError):
    """The cluster was reached and will not run a stage: rights are missing, or it does not take the application."""

    code = "engine_refused"
    retry_helps = False
