"""What a cluster must do for the engine: start an application, tell what became of it, stop it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from headwater.adapters.spark_applications.exchange import Exchange
from headwater.domain.job import JobSpec

Phase = Literal["starting", "running", "ended", "gone"]
Application = Mapping[str, str]
"""What tells a started application from all others."""


@dataclass(frozen=True, slots=True)
class ApplicationState:
    """What is known of an application.

    :param phase: ``gone``: there is none, or none that can be seen from here. ``ended`` says nothing of success: only
        a result does.
    :param why: of one that ended or does not start, in the cluster's words, free of secrets.
    :param facts: what the runbook's steps are filled with.
    """

    phase: Phase
    why: str = ""
    facts: Mapping[str, str] | None = None


class Applications(Protocol):
    """A cluster that Spark applications run on."""

    @property
    def starts_once(self) -> bool:
        """Whether starting an attempt that was started already returns its application, instead of a second one."""
        ...

    def start(self, job: JobSpec, exchange: Exchange) -> Application:
        """Start the driver of an attempt whose job is placed.

        :raises EngineError: when the cluster cannot be reached, or refuses.
        """
        ...

    def look(self, application: Application) -> ApplicationState:
        """:raises EngineError: when the cluster cannot be asked."""
        ...

    def told(self, application: Application) -> Sequence[str]:
        """Lines the driver has written since this was asked last."""
        ...

    def let_end(self, application: Application) -> Sequence[str]:
        """Its answer is taken, and little is left for it to do; returns the last lines it has written."""
        ...

    def stop(self, application: Application) -> None:
        """End it and whatever it holds; nothing when it is gone."""
        ...
