"""Whether a run is over, according to the scheduler that runs it."""

from __future__ import annotations

from typing import Protocol

from headwater.domain.run import RunKey


class RunStates(Protocol):
    def is_terminal(self, run_key: RunKey) -> bool:
        """True only when the scheduler knows the run and says it is over, or knows that it does not exist."""
        ...
