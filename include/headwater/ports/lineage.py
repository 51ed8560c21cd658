"""Where metadata of a run goes."""

from __future__ import annotations

from typing import Protocol

from headwater.domain.lineage import RunFacts


class LineageEmitter(Protocol):
    def emit(self, facts: RunFacts) -> str:
        """Send, or spool what cannot be sent, and say in one line what happened. Never fails the data path."""
        ...

    def flush_spool(self) -> int:
        """Send what was spooled earlier; returns how many events remain."""
        ...
