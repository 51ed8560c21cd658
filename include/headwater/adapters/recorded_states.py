"""Whether a run is over, where no scheduler can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.domain.run import RunKey

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform


class RecordedRunStates:
    """Whether a run is over by the run store's own record: what is known without a scheduler."""

    def __init__(self, platform: LocalPlatform) -> None:
        self._platform = platform

    def is_terminal(self, run_key: RunKey) -> bool:
        record = self._platform.runs.run(str(run_key))
        return record is not None and record.state != "running"
