"""Time, so that tests and the demo can set it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The real instant, UTC, microseconds."""
        ...

    def data_now(self) -> datetime:
        """The instant freshness is judged by: the real one, unless a data clock is set (the demo)."""
        ...
