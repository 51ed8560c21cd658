"""What a cluster says no to."""

from __future__ import annotations

from headwater.domain.errors import EngineError


class EngineRefusedError(EngineError):
    """The cluster was reached and will not run a stage: rights are missing, or it does not take the application."""

    code = "engine_refused"
    retry_helps = False
